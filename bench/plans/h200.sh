# 0.2 min  devices: power limit, clocks, ECC: where the figures come from
nvidia-smi -q >$out/nvidia-smi.txt
hacscale devices --json >$out/devices.json

# 1.2 min  tests: is every kernel right, the new ones too?
gpu_tests --gtest_brief=1

# 2.0 min  depthwise: every candidate of each depthwise layer, cold, beside a copy of the same bytes
cuda_layers --device cuda:0 --batches 1,64 --out $out/depthwise.jsonl

# 0.3 min  squeeze: squeeze-excite in one launch, in two and in three
cuda_squeeze_excite --device cuda:0 --batches 1,64 --out $out/squeeze-excite.jsonl

# 0.3 min  squeeze-pdl: the same, with launches that overlap
HACSCALE_PDL=1 cuda_squeeze_excite --device cuda:0 --batches 1 --out $out/squeeze-excite-pdl.jsonl

# 0.8 min  pdl: whole networks with launches one after the other and overlapping, in turns
for turn in 1 2 3; do for pdl in 0 1; do for net in efficientnet-b0 mobilenetv2-1.0 resnet18; do echo $net pdl=$pdl $(echo 0.1 | HACSCALE_PDL=$pdl time_network $net cuda:0 1 f16); done; done; done

# 1.5 min  choices: networks whose kernels were chosen with the L2 as they find it, and with a cold one
HACSCALE_PLAN_CACHE= cuda_choices networks --device cuda:0 --dtype f16 --out $out/choices.jsonl resnet18 mobilenetv2-1.0 efficientnet-b0

# 0.8 min  prefix: rows by prefix graphs against the stopwatch: is the clock spread evenly?
row_methods --device cuda:0 --dtype f16 --seconds 1 --out $out/row-methods.jsonl resnet20-cifar mobilenetv2-1.0 efficientnet-b0

# 0.8 min  ncu: instructions, stalls and bandwidth of depthwise kernels: what bounds them?
ncu --clock-control none --kernel-name regex:[Dd]epthwise --launch-skip 12 --launch-count 8 --section SpeedOfLight --section SchedulerStats --section WarpStateStats --section InstructionStats --section MemoryWorkloadAnalysis --csv --log-file $out/ncu.csv time_network mobilenetv2-1.0 cuda:0 64 f16 </dev/null

# 1.3 min  zoo: the layers of the zoo once more, with counters
hacscale profile --all --own-layers --table $out/zoo.db --device cuda:0 --dtype f16 --seconds 0.1

# 1.7 min  convs: dense convs by own kernels and by cuDNN's, hot and cold
cuda_choices layers --device cuda:0 --dtype f16 --out $out/convs.jsonl resnet18 mobilenetv2-1.0

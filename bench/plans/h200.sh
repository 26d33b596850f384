# 0.2 min  devices: power limit, clocks, ECC: where the figures come from
nvidia-smi -q >$out/nvidia-smi.txt
hacscale devices --json >$out/devices.json

# 1.0 min  tests: is every kernel right, the new ones too?
gpu_tests --gtest_brief=1

# 2.0 min  depthwise: every candidate of each depthwise layer beside a copy of the same bytes
cuda_layers --device cuda:0 --batches 1,64 --out $out/depthwise.jsonl

# 1.0 min  prefix: rows by prefix graphs against the stopwatch: is the clock spread evenly?
row_methods --device cuda:0 --dtype f16 --out $out/row-methods.jsonl resnet20-cifar mobilenetv2-1.0 efficientnet-b0

# 0.7 min  peers: whole networks beside PyTorch eager in a CUDA graph
python3 $scripts/peers/compare_pytorch.py --out $out/peers.jsonl --peer graph --quick --rounds 5 --seconds 0.15 --minutes 0.6

# 1.0 min  ncu: instructions, stalls and bandwidth of a depthwise kernel; confirms what bounds it, or refutes it
ncu --clock-control none --kernel-name regex:[Dd]epthwise --launch-skip 12 --launch-count 4 --section SpeedOfLight --section SchedulerStats --section WarpStateStats --section InstructionStats --section MemoryWorkloadAnalysis --csv --log-file $out/ncu.csv time_network mobilenetv2-1.0 cuda:0 64 f16 </dev/null

# 1.5 min  zoo: the layers of the zoo once more, with counters
hacscale profile --all --own-layers --table $out/zoo.db --device cuda:0 --dtype f16 --seconds 0.15

# 2.0 min  compile: torch.compile in a CUDA graph, batch 1
python3 $scripts/peers/compare_pytorch.py --out $out/peers.jsonl --peer compile --quick --minutes 1.8 resnet18 mobilenetv2-1.0

# 0.2 min  devices: power limit, clocks, ECC: where the figures come from
nvidia-smi -q >$out/nvidia-smi.txt
hacscale devices --json >$out/devices.json

# 1.5 min  tests: is every kernel right on a second kind of GPU?
gpu_tests --gtest_brief=1

# 3.3 min  budgets: the README's comparison of strategies on a second kind of GPU
hacscale run $scripts/suites/paper-budgets-gpu-short.yaml --out $out/budgets --minutes 3.2

# 1.0 min  transfer: do choices that were made for an H200 keep their budgets here?
python3 $scripts/across_devices.py models $results/nvidia-h200/paper-budgets-gpu/compare-*.json --out $out/choices
hacscale profile $out/choices/*.yaml --own-layers --table $out/transfer.db --device cuda:0 --dtype f16 --seconds 0.1 --no-counters
hacscale verify $out/choices/*.yaml --table $out/transfer.db --device cuda:0 --dtype f16 --seconds 0.3 --json >$out/transfer.json
python3 $scripts/across_devices.py kept $out/choices $out/transfer.json

# 0.1 min  rows: the H200's table beside this one's, row by row: ratios, ranks
python3 $scripts/across_devices.py rows $results/nvidia-h200/paper-budgets-gpu/table.db $out/budgets/table.db

# 2.5 min  compile: torch.compile in a CUDA graph, batch 1
python3 $scripts/peers/compare_pytorch.py --out $out/peers.jsonl --peer compile --quick --minutes 2.3 resnet18 mobilenetv2-1.0 efficientnet-b0

# 0.8 min  tf32: PyTorch eager in a CUDA graph, in TF32
python3 $scripts/peers/compare_pytorch.py --out $out/peers.jsonl --peer graph --dtypes tf32 --rounds 5 --seconds 0.15 --minutes 0.7 resnet18 mobilenetv2-1.0

# 0.8 min  prefix: rows by prefix graphs against the stopwatch: is the clock spread evenly?
row_methods --device cuda:0 --dtype f16 --seconds 1 --out $out/row-methods.jsonl resnet20-cifar mobilenetv2-1.0 efficientnet-b0

# 0.8 min  depthwise: with less bandwidth than an H200, are the times the same? Then instructions bound them
cuda_layers --device cuda:0 --batches 64 --out $out/depthwise.jsonl

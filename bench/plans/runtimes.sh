# 0.2 min  devices: is ONNX Runtime's CUDA provider a device here, and if not, why?
nvidia-smi -q >$out/nvidia-smi.txt
hacscale devices --json >$out/devices.json

# 2.5 min  rows: regions of three networks in ONNX Runtime, each checked against the reference, and their sum beside the whole network
hacscale profile resnet20-cifar resnet18 mobilenetv2-1.0 --own-layers --table $out/onnxruntime.db --device onnxruntime@cuda:0 --seconds 0.2

# 1.0 min  ours: the same networks in cuDNN, in f32 as well
hacscale profile resnet20-cifar resnet18 mobilenetv2-1.0 --own-layers --table $out/ours.db --device cuda:0 --seconds 0.2 --no-counters

# 0.5 min  sums: the whole networks once more
hacscale verify resnet20-cifar resnet18 mobilenetv2-1.0 --table $out/onnxruntime.db --device onnxruntime@cuda:0 --json >$out/sums.json

# 3.0 min  widths: networks at other widths, predicted by ONNX Runtime's table
hacscale profile resnet20-cifar --table $out/onnxruntime.db --device onnxruntime@cuda:0 --seconds 0.1 --minutes 2
hacscale compare resnet20-cifar --table $out/onnxruntime.db --device onnxruntime@cuda:0 --budget 1.065 --strategies hacscale,greedy,uniform --json >$out/compare-there.json

# 3.0 min  choices: what this GPU's own table chooses, timed in ONNX Runtime as well
hacscale profile resnet20-cifar --table $out/ours.db --device cuda:0 --seconds 0.1 --minutes 1 --no-counters
hacscale compare resnet20-cifar --table $out/ours.db --device cuda:0 --budget 1.065 --strategies hacscale,greedy,uniform --verify-on onnxruntime@cuda:0 --json >$out/compare-ours.json

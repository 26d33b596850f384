# 0.2 min  devices: power limit, clocks, ECC: where the figures come from
nvidia-smi -q >$out/nvidia-smi.txt
hacscale devices --json >$out/devices.json

# 10.5 min  standard: ResNet-20 and its choice at +6.5 %, 200 epochs, three seeds each, six at once
[ -e $out/accuracy.db ] || cp $results/nvidia-h200/training/accuracy.db $out/
seq 6 | xargs -P 6 -I PROCESS hacscale train --plan $results/nvidia-h200/training/plan-standard.yaml --record $out/accuracy.db --checkpoints $out/checkpoints --data ${HACSCALE_DATA:-data/cifar-10} --device cuda:0

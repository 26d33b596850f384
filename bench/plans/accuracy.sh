# 0.2 min  devices: power limit, clocks, ECC: where the figures come from
nvidia-smi -q >$out/nvidia-smi.txt
hacscale devices --json >$out/devices.json

# 2.5 min  matched: ResNet-20 trained for as many FLOPs as the choice at +6.5 % of up to twice the width, three seeds at once
[ -e $out/accuracy.db ] || cp $results/nvidia-h200/training/accuracy.db $out/
seq 3 | xargs -P 3 -I SEED hacscale train resnet20-cifar --recipe short --match-flops $results/nvidia-h200/training/resnet20-cifar-hacscale-1.065.yaml --seed SEED --record $out/accuracy.db --checkpoints $out/checkpoints --data ${HACSCALE_DATA:-data/cifar-10} --device cuda:0

# 8 min  matched-wide: the same for the choice of up to four times the width
seq 3 | xargs -P 3 -I SEED hacscale train resnet20-cifar --recipe short --match-flops $results/nvidia-h200/training/resnet20-cifar-hacscale-wide-1.065.yaml --seed SEED --record $out/accuracy.db --checkpoints $out/checkpoints --data ${HACSCALE_DATA:-data/cifar-10} --device cuda:0

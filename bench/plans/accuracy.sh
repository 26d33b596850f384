# 0.2 min  devices: power limit, clocks, ECC: where the figures come from
nvidia-smi -q >$out/nvidia-smi.txt
hacscale devices --json >$out/devices.json

# 2.4 min  held-out: does the gain predict twelve networks more? 24 trainings of five epochs, four at once; then all of them, read
[ -e $out/sensitivity.db ] || cp $results/nvidia-h200/training/sensitivity.db $out/
seq 4 | xargs -P 4 -I PROCESS hacscale sensitivity resnet20-cifar --recipe quick --seeds 2 --held-out 24 --record $out/sensitivity.db --checkpoints $out/checkpoints --out $out/sensitivity-PROCESS.json --data ${HACSCALE_DATA:-data/cifar-10} --device cuda:0 || true
hacscale sensitivity resnet20-cifar --recipe quick --seeds 2 --held-out 24 --record $out/sensitivity.db --checkpoints $out/checkpoints --out $out/sensitivity-resnet20-cifar.json --data ${HACSCALE_DATA:-data/cifar-10} --device cuda:0

# 8.4 min  matched: ResNet-20 trained for as many FLOPs as each choice at +6.5 %, of up to twice and up to four times the width, three seeds each, all at once
[ -e $out/accuracy.db ] || cp $results/nvidia-h200/training/accuracy.db $out/
echo hacscale-wide 1 hacscale-wide 2 hacscale-wide 3 hacscale 1 hacscale 2 hacscale 3 | xargs -n 2 -P 6 sh -c 'hacscale train resnet20-cifar --recipe short --match-flops $results/nvidia-h200/training/resnet20-cifar-$0-1.065.yaml --seed $1 --record $out/accuracy.db --checkpoints $out/checkpoints --data ${HACSCALE_DATA:-data/cifar-10} --device cuda:0'

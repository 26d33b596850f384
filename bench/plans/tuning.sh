# 0.2 min  devices: power limit, clocks, ECC: where the figures come from
nvidia-smi -q >$out/nvidia-smi.txt
hacscale devices --json >$out/devices.json

# 10.5 min  shrink: ResNet-56 shrunk from its weights and fine-tuned: HACScale against L1, Taylor and HALP at one latency
python3 $scripts/shrink_and_tune.py --out $out/shrink --data ${HACSCALE_DATA:-data/cifar-10} --device cuda:0 --dtype f16 --jobs 6 --seconds 0.2 --minutes 0.7

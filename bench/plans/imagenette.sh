# 0.2 min  devices: power limit, clocks, ECC: where the figures come from
nvidia-smi -q >$out/nvidia-smi.txt
hacscale devices --json >$out/devices.json

# 1.8 min  choices: MobileNetV2 0.35 and ResNet-18 at 128 pixels, scaled by +0.6 % and +6.5 %, and a plan to train them
hacscale run $scripts/suites/imagenette-gpu.yaml --out $out/run --minutes 1.7
hacscale report $out/run --train $out/plan.yaml --strategies hacscale,greedy,random --recipe imagenette-20 --seeds 1,2,3

# 7.5 min  train: bases and choices, three seeds each, six at once
seq 6 | xargs -P 6 -I PROCESS hacscale train --plan $out/plan.yaml --data ${HACSCALE_IMAGENETTE:-data/imagenette-128} --device cuda:0

# 1.5 min  matched: each base trained for as many FLOPs as HACScale's choices, and all accuracies on the page
ls $out/*-hacscale-*.yaml | xargs -P 4 -I CHOICE sh -c 'choice=CHOICE; hacscale train ${choice%-hacscale-*}-base.yaml --match-flops $choice --recipe imagenette-20 --record $out/accuracy.db --checkpoints $out/checkpoints --data ${HACSCALE_IMAGENETTE:-data/imagenette-128} --device cuda:0'
hacscale report $out/run --record $out/accuracy.db --recipe imagenette-20

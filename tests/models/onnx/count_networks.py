# Counts networks of torchvision and timm with fvcore and writes them as ONNX files whose batch-norms are not folded:
#     python3 count_networks.py FOLDER [NETWORK...]
# Needs torch, torchvision, timm, onnx and fvcore. Prints lines as networks.tsv has them, without the zoo's names; without names it does
# those of networks.tsv; more_networks.txt has others. With HACSCALE_TEST_NETWORKS=FOLDER, models_onnx_tests compares what the import counts.
import pathlib
import sys

import fvcore.nn
import timm
import torch
import torchvision

SEGMENTATION = ("deeplabv3", "fcn", "lraspp")
DETECTORS = {"fcos_resnet50_fpn": 320, "retinanet_resnet50_fpn": 320, "ssd300_vgg16": 300, "ssdlite320_mobilenet_v3_large": 320}


class Maps(torch.nn.Module):
    """A detector's backbone and heads, without its transform and post-processing."""

    def __init__(self, detector):
        super().__init__()
        self.backbone = detector.backbone
        self.head = detector.head

    def forward(self, image):
        return tuple(self.head(list(self.backbone(image).values())).values())


class Scores(torch.nn.Module):
    """The map of a segmentation network."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, image):
        return self.network(image)["out"]


def network_of(name):
    if name.startswith("timm:"):
        network = timm.create_model(name.removeprefix("timm:"), pretrained=False, exportable=True)
        return network, tuple(network.default_cfg.get("input_size", (3, 224, 224)))
    if name == "r3d_18":  # of short films
        return torchvision.models.get_model(name, weights=None), (3, 8, 112, 112)
    options = {"aux_logits": False, "init_weights": False} if name in ("googlenet", "inception_v3") else {}
    if name in DETECTORS or name.startswith(SEGMENTATION):
        options["weights_backbone"] = None
    network = torchvision.models.get_model(name, weights=None, **options)
    if name in DETECTORS:
        return Maps(network), (3, DETECTORS[name], DETECTORS[name])
    if name.startswith(SEGMENTATION):
        network = Scores(network)
    return network, (3, 299, 299) if name == "inception_v3" else (3, 224, 224)


def count(name, folder):
    network, shape = network_of(name)
    network.eval()
    image = torch.randn(1, *shape)
    flops = fvcore.nn.FlopCountAnalysis(network, image)
    flops.unsupported_ops_warnings(False)
    flops.uncalled_modules_warnings(False)
    by_operator = flops.by_operator()
    macs = int(sum(by_operator.get(name, 0) for name in ("conv", "linear", "addmm", "matmul", "bmm")))
    params = fvcore.nn.parameter_count(network)[""]
    torch.onnx.export(network, image, str(folder / (name.replace(":", "_") + ".onnx")), opset_version=13,
                      dynamo=False, do_constant_folding=False, training=torch.onnx.TrainingMode.PRESERVE)
    print(name, "x".join(map(str, shape)), macs, params, sep="\t", flush=True)


def names_of_table():
    lines = (pathlib.Path(__file__).parent / "networks.tsv").read_text().splitlines()
    names = [line.split("\t")[0] for line in lines if not line.startswith(("#", "network\t"))]
    return [name for name in names if not name.startswith("own:")]


folder = pathlib.Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
with torch.no_grad():
    for name in sys.argv[2:] or names_of_table():
        count(name, folder)

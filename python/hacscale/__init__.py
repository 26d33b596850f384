"""Profile convolutional networks, see where they waste time, and resize them to a latency budget.

    import hacscale as hs

    net = hs.from_torch(module, example)                       # or hs.from_onnx(path), hs.zoo("resnet18")
    table = hs.profile(net, table="cpu.db", widths=(0.5, 1))   # measures layers, at other widths as well
    print(hs.advise(net, table))                               # where the time goes, in ten lines
    plan = hs.scale(net, table, budget=0.7)                    # a network of 0.7 times the latency
    smaller = plan.apply(module)                               # the module with resized layers, weights kept

Latencies are microseconds of one inference at the stated batch, shapes are channels x height x width, budgets are ratios of the
network's own latency or texts as "8ms" and "120/s". Errors are `BadInput` (also a ValueError), `DeviceMissing` and
`WorkFailed`; what is less sure than it should be is a warning, `NoisyResult`.
"""

from hacscale import _installed  # before the native half, which looks for its files
from hacscale._core import BadInput, DeviceMissing, Error, WorkFailed
from hacscale._core import version as __version__
from hacscale.measure import NoisyResult, devices, profile, verify
from hacscale.networks import Network, from_onnx, from_torch, zoo, zoo_names
from hacscale.planning import Advice, Comparison, Plan, advise, compare, scale, strategies
from hacscale.tables import Candidates, Table

__all__ = [
    "Advice",
    "BadInput",
    "Candidates",
    "Comparison",
    "DeviceMissing",
    "Error",
    "Network",
    "NoisyResult",
    "Plan",
    "Table",
    "WorkFailed",
    "__version__",
    "advise",
    "compare",
    "devices",
    "from_onnx",
    "from_torch",
    "profile",
    "scale",
    "strategies",
    "verify",
    "zoo",
    "zoo_names",
]

del _installed

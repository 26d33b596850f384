import types

cudnn = types.SimpleNamespace(benchmark=False, allow_tf32=None)
cuda = types.SimpleNamespace(matmul=types.SimpleNamespace(allow_tf32=None))

def same(x):
    return x


relu = relu6 = silu = hardswish = hardsigmoid = same

import pathlib
import re

from hacscale import _core


def test_the_stub_has_what_the_native_half_has():
    stub = (pathlib.Path(__file__).parents[2] / "python/hacscale/_core.pyi").read_text()
    described = set(re.findall(r"^(?:class|def) (\w+)", stub, re.MULTILINE)) | {"version"}
    assert described == {name for name in dir(_core) if not name.startswith("_")}


def test_everything_public_has_help():
    import hacscale as hs

    for name in hs.__all__:
        thing = getattr(hs, name)
        if callable(thing) and not issubclass(thing if isinstance(thing, type) else int, BaseException):
            assert thing.__doc__, name

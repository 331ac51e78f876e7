"""A missing optional package is one sentence; a broken one is its own error."""

import json
import sys

import pytest

from skrecall.utils._optional import _EXTRA_OF, import_optional
from tests.public import ROOT


def test_returns_the_module():
    assert import_optional("json.decoder", purpose="A test") is json.decoder


@pytest.mark.parametrize("package", sorted(_EXTRA_OF))
def test_missing_package_names_its_extra(package, monkeypatch):
    for name in [name for name in sys.modules if name.partition(".")[0] == package]:
        monkeypatch.delitem(sys.modules, name)

    class Absent:
        @staticmethod
        def find_spec(name, path=None, target=None):
            if name.partition(".")[0] == package:
                raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    monkeypatch.setattr(sys, "meta_path", [Absent, *sys.meta_path])
    with pytest.raises(ImportError) as caught:
        import_optional(package, purpose="skrecall.thing")
    assert str(caught.value) == (
        f"skrecall.thing needs {package}, which is not installed: "
        f"pip install 'skrecall[{_EXTRA_OF[package]}]'."
    )


def test_extras_exist():
    pyproject = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    for package, extra in _EXTRA_OF.items():
        assert f"\n{extra} = [" in pyproject, package


def test_what_a_present_package_misses_is_not_blamed_on_it(tmp_path, monkeypatch):
    (tmp_path / "onnx.py").write_text("import a_module_that_does_not_exist")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "onnx", raising=False)
    with pytest.raises(ModuleNotFoundError, match="a_module_that_does_not_exist"):
        import_optional("onnx", purpose="A test")

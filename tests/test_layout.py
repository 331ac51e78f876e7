"""The layout holds: one door to private helpers, one path per public name, lazy extras."""

import ast
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.public import FOLDERS, ROOT, SOURCE, TABULAR_FOLDERS, private_modules, public_names

OPTIONAL = (
    "torch",
    "torchvision",
    "skorch",
    "matplotlib",
    "onnx",
    "onnxruntime",
    "networkx",
    "dask",
)
PYTHON_FILES = sorted(
    path
    for folder in ("skrecall", "tests", "examples", "benchmarks", "docs")
    for path in (ROOT / folder).rglob("*.py")
    if not {"_build", "api", "auto_examples"} & set(path.relative_to(ROOT).parts)
)
THE_ONE_DOOR = SOURCE / "utils" / "_sklearn.py"
# Modules that hold no behaviour of their own.
WITHOUT_TEST_FILE = {"utils/_sklearn.py"}


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def private_names_of_scikit_learn(source: str) -> list[str]:
    """Return the dotted private names of scikit-learn that a source imports or reads."""
    dotted = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            dotted += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            dotted += [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Attribute):
            dotted.append(ast.unparse(node))
    return [
        name
        for name in dotted
        if name.split(".")[0] == "sklearn" and any(is_private(part) for part in name.split("."))
    ]


@pytest.mark.parametrize(
    "source",
    [
        "from sklearn.utils._response import _get_response_values",
        "from sklearn.base import BaseEstimator, _fit_context",
        "import sklearn.utils._mask",
        "import sklearn\nsklearn.utils._safe_indexing([1], 0)",
    ],
)
def test_private_names_are_found(source):
    assert len(private_names_of_scikit_learn(source)) >= 1
    assert not private_names_of_scikit_learn("from sklearn import __version__, base")


@pytest.mark.parametrize("path", PYTHON_FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_private_names_of_scikit_learn_come_through_one_door(path):
    if path != THE_ONE_DOOR:
        assert private_names_of_scikit_learn(path.read_text(encoding="utf-8")) == []


def test_every_folder_is_a_public_namespace():
    with_source = {path.parent.name for path in SOURCE.glob("*/__init__.py")}
    assert with_source == {*FOLDERS, "utils"}


def is_record(node: ast.ClassDef) -> bool:
    """Dataclasses may be handed from module to module of one folder and stay in it."""
    return any("dataclass" in ast.unparse(decorator) for decorator in node.decorator_list)


@pytest.mark.parametrize("folder", FOLDERS)
def test_public_classes_are_exported_by_their_folder(folder):
    exported = public_names(folder)
    assert exported, f"skrecall.{folder} has no __all__"
    assert exported == sorted(set(exported))
    for path in private_modules(folder):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if not isinstance(node, ast.ClassDef) or node.name.startswith(("_", "Base")):
                continue
            assert node.name in exported or is_record(node), f"{path.name}: {node.name}"


def test_a_public_name_has_one_path():
    counts = Counter(name for folder in FOLDERS for name in public_names(folder))
    assert [name for name, count in counts.items() if count > 1] == []


@pytest.mark.parametrize("folder", [*FOLDERS, "utils"])
def test_tests_mirror_the_tree(folder):
    missing = [
        f"tests/{folder}/test{path.stem}.py"
        for path in private_modules(folder)
        if f"{folder}/{path.name}" not in WITHOUT_TEST_FILE
        and not (ROOT / "tests" / folder / f"test{path.stem}.py").exists()
    ]
    assert missing == []


def run_python(source: str) -> str:
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", source],
        cwd=Path(ROOT),
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()


def test_tabular_folders_import_no_optional_package():
    loaded = run_python(
        "import importlib, sys, skrecall\n"
        f"for folder in {TABULAR_FOLDERS!r}:\n"
        "    importlib.import_module(f'skrecall.{folder}')\n"
        f"print(*sorted(set({OPTIONAL!r}) & set(sys.modules)))"
    )
    assert loaded == ""


BLOCK = """
import sys

class Block:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {blocked!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Block())
try:
    import skrecall.{folder}
except ImportError as error:
    print(error)
"""


@pytest.mark.parametrize("folder", [f for f in FOLDERS if f not in TABULAR_FOLDERS])
def test_a_missing_extra_is_named_in_one_sentence(folder):
    message = run_python(BLOCK.format(blocked=("torch", "torchvision", "skorch"), folder=folder))
    assert message == (
        f"skrecall.{folder} needs torch, which is not installed: pip install 'skrecall[torch]'."
    )

"""What is public, read from the source, so that nothing has to be imported to know it."""

import ast
from importlib.util import find_spec
from pathlib import Path

import skrecall

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "skrecall"
TORCH_FOLDERS = ("nn", "neural_network", "detection", "deploy")

FOLDERS = tuple(sorted(skrecall._FOLDERS))
TABULAR_FOLDERS = tuple(folder for folder in FOLDERS if folder not in TORCH_FOLDERS)
IMPORTABLE_FOLDERS = FOLDERS if find_spec("torch") else TABULAR_FOLDERS


def public_names(folder: str) -> list[str]:
    """Return the `__all__` of a folder, without importing it."""
    tree = ast.parse((SOURCE / folder / "__init__.py").read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return list(ast.literal_eval(node.value))
    return []


def private_modules(folder: str) -> list[Path]:
    """Return the files `_x.py` of a folder."""
    return sorted((SOURCE / folder).glob("_[!_]*.py"))

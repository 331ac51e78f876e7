"""Optional packages are imported inside functions, through here, with one sentence when missing."""

import importlib
from types import ModuleType

_EXTRA_OF = {
    "matplotlib": "plot",
    "networkx": "graph",
    "onnx": "onnx",
    "onnxruntime": "onnx",
    "skl2onnx": "onnx",
    "skmultilearn": "multilearn",
    "dask": "dask",
    "distributed": "dask",
    "torch": "torch",
    "skorch": "torch",
    "torchvision": "vision",
    "PIL": "vision",
}


def import_optional(name: str, *, purpose: str) -> ModuleType:
    """Import an optional package or module, or say which extra installs it.

    Parameters
    ----------
    name : str
        Dotted name of the module, such as ``"matplotlib.pyplot"``.
    purpose : str
        What needs it: the subject of the sentence.

    Returns
    -------
    module : module
        The imported module.

    Raises
    ------
    ImportError
        If the package is not installed; the message names the extra.
    """
    package = name.partition(".")[0]
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != package:
            raise
        raise ImportError(
            f"{purpose} needs {package}, which is not installed: "
            f"pip install 'skrecall[{_EXTRA_OF[package]}]'."
        ) from error

"""A name for what goes into a fit, the same in every process."""

import functools
import hashlib
import inspect
import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

PLAIN = (type(None), bool, int, float, str, bytes)
# What every module has: its weights and modules are read otherwise, hooks and mode are not.
_OF_ANY_MODULE = frozenset(vars(nn.Module())) | {"_compiled_call_impl"}


def fingerprint(*parts: Any) -> str:
    """Return a name for any objects that another process gives them as well.

    Parameters
    ----------
    *parts : object
        Plain values, arrays, tensors, containers, functions, modules and other objects, by their
        class and attributes.

    Returns
    -------
    name : str
        32 hexadecimal digits.
    """
    digest = hashlib.blake2b(digest_size=16)
    for piece in _pieces(parts, ()):
        digest.update(piece)
        digest.update(b"\0")
    return digest.hexdigest()


def _pieces(value: Any, above: tuple[int, ...]) -> Iterator[Any]:
    """Yield what makes a value differ from others; what refers back to itself only once."""
    if id(value) in above:
        return
    above = (*above, id(value))
    yield type(value).__qualname__.encode()
    if isinstance(value, (*PLAIN, complex, np.generic, torch.dtype, torch.device)):
        yield repr(value).encode()
    elif isinstance(value, Tensor):
        yield from _pieces(value.detach().cpu().numpy(), above)
    elif isinstance(value, np.ndarray) and value.dtype != object:
        yield f"{value.dtype}{value.shape}".encode()
        yield np.ascontiguousarray(value).view(np.uint8).data if value.size else b""
    elif isinstance(value, Mapping):
        for key in sorted(value, key=repr):
            yield repr(key).encode()
            yield from _pieces(value[key], above)
    elif isinstance(value, set | frozenset):
        yield repr(sorted(map(repr, value))).encode()
    elif isinstance(value, list | tuple | np.ndarray):
        for item in value:
            yield from _pieces(item, above)
    elif isinstance(value, functools.partial):
        yield from _pieces((value.func, value.args, value.keywords), above)
    elif inspect.isclass(value) or inspect.isbuiltin(value):
        yield f"{value.__module__}.{value.__qualname__}".encode()
    elif inspect.ismethod(value):
        yield from _pieces((value.__func__, value.__self__), above)
    elif inspect.isfunction(value):
        yield f"{value.__module__}.{value.__qualname__}".encode()
        cells = [cell.cell_contents for cell in value.__closure__ or ()]
        named = [value.__globals__.get(name) for name in value.__code__.co_names]
        numbers = [item for item in named if isinstance(item, PLAIN)]
        defaults = value.__defaults__, value.__kwdefaults__
        yield from _pieces((value.__code__, defaults, cells, numbers), above)
    elif inspect.iscode(value):
        yield value.co_code
        yield from _pieces((value.co_consts, value.co_names), above)
    elif isinstance(value, nn.Module):
        yield _without_address(value)
        yield from _pieces(value.state_dict(), above)
        for module in value.modules():
            own = {k: v for k, v in vars(module).items() if k not in _OF_ANY_MODULE and _tells(v)}
            yield from _pieces(own, above)
    else:
        yield from _pieces(getattr(value, "__dict__", _without_address(value)), above)


def _tells(value: Any) -> bool:
    """Return whether an attribute of a module is a setting, not a thing that it works with."""
    if isinstance(value, Mapping):
        return all(map(_tells, value.values()))
    if isinstance(value, list | tuple | set | frozenset):
        return all(map(_tells, value))
    settings = (*PLAIN, np.ndarray, np.generic, Tensor, nn.Module, functools.partial)
    return isinstance(value, settings) or inspect.isfunction(value)


def _without_address(value: Any) -> bytes:
    return re.sub(r" at 0x[0-9a-f]+", "", repr(value)).encode()

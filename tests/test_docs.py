"""Every public name is documented in full, and what is documented is what the code does."""

import ast
import dataclasses
import importlib
import inspect
import re
from collections.abc import Iterator
from typing import Any

import pytest
from numpydoc.docscrape import NumpyDocString
from numpydoc.validate import validate

from tests.public import IMPORTABLE_FOLDERS

# numpydoc's codes: no docstring, parameters undocumented, unknown, in another order, without
# type or description; no summary; no Returns, no Yields.
DEMANDED = {"GL08", "PR01", "PR02", "PR03", "PR04", "PR07", "SS01", "RT01", "YD01"}


def unwrap(member: Any) -> Any:
    """Return the function behind a classmethod, property, or `available_if`."""
    if isinstance(member, classmethod | staticmethod):
        return member.__func__
    if isinstance(member, property):
        return member.fget
    return getattr(member, "fn", member)


def own_methods(cls: type) -> Iterator[tuple[str, Any]]:
    """Yield the public methods and properties that skrecall defines for a class."""
    for base in cls.__mro__:
        if base.__module__.startswith("skrecall"):
            for name, member in vars(base).items():
                function = unwrap(member)
                if not name.startswith("_") and inspect.isfunction(function):
                    yield f"{base.__module__}.{base.__qualname__}.{name}", function


def public_objects() -> Iterator[tuple[str, Any]]:
    """Yield the public classes and functions; a constant, in capitals, has no docstring."""
    for folder in IMPORTABLE_FOLDERS:
        module = importlib.import_module(f"skrecall.{folder}")
        for name in module.__all__:
            if not name.isupper():
                yield f"skrecall.{folder}.{name}", getattr(module, name)


def documented_objects() -> dict[str, Any]:
    found = dict(public_objects())
    for public in list(found.values()):
        if inspect.isclass(public):
            found |= dict(own_methods(public))
    return found


PUBLIC = dict(public_objects())
DOCUMENTED = documented_objects()


def parameters(obj: Any) -> dict[str, inspect.Parameter]:
    signature = inspect.signature(obj.__init__ if inspect.isclass(obj) else obj)
    return {name: p for name, p in signature.parameters.items() if name not in ("self", "cls")}


def documented_types(obj: Any) -> dict[str, str]:
    """Return the numpydoc type of every parameter; a dataclass documents them as attributes."""
    section = "Attributes" if dataclasses.is_dataclass(obj) else "Parameters"
    types = {}
    for parameter in NumpyDocString(inspect.getdoc(obj))[section]:
        for name in parameter.name.split(","):
            types[name.strip().lstrip("*")] = parameter.type
    return types


def documented_default(kind: str) -> Any:
    """Return the default that a numpydoc type states, as a value where it is a literal."""
    match = re.search(r"default=(.+)$", kind)
    if match is None:
        return inspect.Parameter.empty
    try:
        return ast.literal_eval(match[1])
    except (ValueError, SyntaxError):
        return match[1]


def same_default(stated: Any, actual: Any) -> bool:
    if isinstance(stated, str) and not isinstance(actual, str):
        return stated.removeprefix("np.") == getattr(actual, "__name__", repr(actual))
    return type(stated) is type(actual) and stated == actual


def test_something_is_public():
    assert len(PUBLIC) >= 2


@pytest.mark.parametrize("path", PUBLIC)
def test_public_names_are_classes_or_functions_with_an_example(path):
    public = PUBLIC[path]
    assert inspect.isclass(public) or inspect.isfunction(public)
    assert NumpyDocString(inspect.getdoc(public))["Examples"], "no Examples section"


@pytest.mark.parametrize("path", DOCUMENTED)
def test_docstring_is_complete(path):
    obj = DOCUMENTED[path]
    demanded = DEMANDED - {"PR01"} if dataclasses.is_dataclass(obj) else DEMANDED
    assert [error for error in validate(path)["errors"] if error[0] in demanded] == []
    assert documented_types(obj).keys() == parameters(obj).keys()


@pytest.mark.parametrize("path", DOCUMENTED)
def test_documented_defaults_are_the_signature_s(path):
    obj = DOCUMENTED[path]
    types = documented_types(obj)
    for name, parameter in parameters(obj).items():
        stated = documented_default(types.get(name, ""))
        assert same_default(stated, parameter.default), (
            f"{name}: documented {stated!r}, signature {parameter.default!r}"
        )


@pytest.mark.parametrize("path", DOCUMENTED)
def test_types_hold_no_link_by_accident(path):
    """In a type, ``n_features_in_`` is a link to nowhere unless it stands in backticks."""
    sections = NumpyDocString(inspect.getdoc(DOCUMENTED[path]))
    for section in ("Parameters", "Attributes", "Returns"):
        for entry in sections[section]:
            assert not re.search(r"(?<![`\w])\w+_(?![`\w])", entry.type), entry.name


@pytest.mark.parametrize("path", DOCUMENTED)
def test_everything_is_annotated(path):
    obj = DOCUMENTED[path]
    empty = inspect.Parameter.empty
    missing = [name for name, p in parameters(obj).items() if p.annotation is empty]
    if inspect.isfunction(obj) and inspect.signature(obj).return_annotation is empty:
        missing.append("return")
    assert missing == []


def test_the_reader_of_defaults():
    def function(a, b=0.5, *, c="x", d=None, e=max):
        """Do.

        Parameters
        ----------
        a : array-like
            One.
        b : float, default=0.5
            Two.
        c : {"x", "y"}, default="x"
            Three.
        d : int or None, default=None
            Four.
        e : callable, default=max
            Five.
        """

    types = documented_types(function)
    for name, parameter in parameters(function).items():
        assert same_default(documented_default(types[name]), parameter.default)
    assert not same_default(documented_default("float, default=0.9"), 0.5)
    assert not same_default(documented_default("float"), 0.5)
    assert not same_default(documented_default("int, default=1"), True)

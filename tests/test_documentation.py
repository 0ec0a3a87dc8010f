"""Every public name says what it does, what it takes and gives, and shows it."""

import importlib
import inspect
import pkgutil

import pytest

import neurokit


def modules():
    yield from (
        m.name
        for m in pkgutil.walk_packages(neurokit.__path__, "neurokit.")
        if not m.name.endswith("conftest")
    )


def public(module_name):
    """Yield the functions, classes and their public methods that a module defines itself."""
    module = importlib.import_module(module_name)
    for name in getattr(module, "__all__", []):
        thing = getattr(module, name)
        if getattr(thing, "__module__", None) != module_name or not callable(thing):
            continue
        yield f"{module_name}.{name}", thing
        if inspect.isclass(thing):
            for key, member in vars(thing).items():
                function = getattr(member, "__func__", member)
                if not key.startswith("_") and inspect.isfunction(function):
                    yield f"{module_name}.{name}.{key}", function


NAMES = {name: thing for module in modules() for name, thing in public(module)}
# typer turns the docstrings of commands into help; they follow its form.
NAMES = {k: v for k, v in NAMES.items() if not k.startswith("neurokit.cli")}


def parameters(thing):
    names = [p for p in inspect.signature(thing).parameters if p not in ("self", "cls")]
    return [n for n in names if not n.startswith("_")]


def test_there_are_names():
    assert len(NAMES) > 100


@pytest.mark.parametrize("name", NAMES)
def test_docstring_names_every_parameter(name):
    thing = NAMES[name]
    doc = inspect.getdoc(thing) or ""
    assert doc, "no docstring"
    missing = [
        p for p in parameters(thing)
        if f"\n{p} :" not in doc and f"{p}," not in doc and f"{p}\n" not in doc
        and f", {p} :" not in doc
    ]  # fmt: skip
    assert not missing, f"not described: {missing}"


@pytest.mark.parametrize("name", [n for n in NAMES if inspect.isfunction(NAMES[n])])
def test_functions_say_what_they_return(name):
    thing = NAMES[name]
    doc = inspect.getdoc(thing) or ""
    if inspect.signature(thing).return_annotation in (None, "None"):
        return
    assert any(f"\n{w}\n---" in doc for w in ("Returns", "Yields")), doc


def test_every_module_lists_what_is_public():
    without = [
        m for m in modules()
        if not hasattr(importlib.import_module(m), "__all__")
    ]  # fmt: skip
    assert without == []


def test_most_public_functions_show_an_example():
    functions = [n for n in NAMES if inspect.isfunction(NAMES[n])]
    without = [n for n in functions if ">>>" not in (inspect.getdoc(NAMES[n]) or "")]
    print("\n".join(without))
    assert not without

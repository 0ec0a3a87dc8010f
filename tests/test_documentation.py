"""Every public name says what it does, what it takes and gives, and shows it."""

import importlib
import inspect
import pkgutil

import pytest

import neurokit

PACKAGES = [n for n in neurokit.__all__ if inspect.ismodule(getattr(neurokit, n))]


def modules():
    names = [m.name for m in pkgutil.walk_packages(neurokit.__path__, "neurokit.")]
    return [n for n in names if not n.endswith("conftest")]


def offered():
    """Yield what users call: the names of the packages, and the public methods of classes."""
    things = {f"{p}.{n}": getattr(getattr(neurokit, p), n) for p in PACKAGES
              for n in getattr(neurokit, p).__all__}  # fmt: skip
    for name, thing in {**things, "Recording": neurokit.Recording}.items():
        if inspect.isfunction(thing) or inspect.isclass(thing):
            yield name, thing
        if inspect.isclass(thing):
            for key, member in vars(thing).items():
                function = getattr(member, "__func__", member)
                own = inspect.isfunction(function) and function.__module__.startswith("neurokit")
                if own and not key.startswith("_"):
                    yield f"{name}.{key}", function


OFFERED = dict(offered())
# pydantic calls this one; nobody else does.
OFFERED = {k: v for k, v in OFFERED.items() if not k.endswith("model_post_init")}
FUNCTIONS = [name for name, thing in OFFERED.items() if inspect.isfunction(thing)]


def doc_of(name):
    return inspect.getdoc(OFFERED[name]) or ""


def test_there_is_something_to_check():
    assert len(FUNCTIONS) > 50
    assert {"datasets.read", "alignment.encode", "Recording.sel", "windows.sliding"} <= set(OFFERED)


@pytest.mark.parametrize("name", OFFERED)
def test_has_a_docstring(name):
    assert len(doc_of(name)) > 20


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_parameter_is_described(name):
    names = inspect.signature(OFFERED[name]).parameters
    described = doc_of(name).partition("Parameters\n")[2]
    missing = [
        p for p in names
        if p not in ("self", "cls", "kwargs", "options")
        and not any(f"{sep}{p}{end}" in described for sep in ("\n", ", ", "**")
                    for end in (" :", ",", "\n"))
    ]  # fmt: skip
    assert not missing


@pytest.mark.parametrize("name", FUNCTIONS)
def test_what_is_returned_is_described(name):
    if inspect.signature(OFFERED[name]).return_annotation not in (None, "None"):
        assert "Returns\n---" in doc_of(name) or "Yields\n---" in doc_of(name)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_an_example_runs_as_a_doctest(name):
    owner, _, method = name.rpartition(".")
    in_class = owner in OFFERED and f".{method}(" in doc_of(owner).partition(">>>")[2]
    assert ">>>" in doc_of(name) or in_class


@pytest.mark.parametrize("module", modules())
def test_modules_say_what_they_are_and_what_is_public(module):
    loaded = importlib.import_module(module)
    assert loaded.__doc__
    assert hasattr(loaded, "__all__")
    without = [
        n for n in loaded.__all__
        if (inspect.isfunction(getattr(loaded, n)) or inspect.isclass(getattr(loaded, n)))
        and not inspect.getdoc(getattr(loaded, n))
    ]  # fmt: skip
    assert not without

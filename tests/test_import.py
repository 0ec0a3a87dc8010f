"""What importing costs, and what it must not load."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import neurokit

HEAVY = {"torch", "pandas", "xarray", "mne", "nilearn", "sklearn", "scipy", "numpy", "matplotlib"}


def loaded_by(code):
    out = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys, json; print(json.dumps(list(sys.modules)))"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return {name.partition(".")[0] for name in json.loads(out.splitlines()[-1])}


def test_import_loads_nothing_heavy():
    assert not loaded_by("import neurokit") & HEAVY


def test_help_loads_no_torch():
    code = (
        "import sys; sys.argv = ['neurokit', '--help']\n"
        "from neurokit.cli import main\n"
        "try: main()\nexcept SystemExit: pass"
    )
    assert not loaded_by(code) & {"torch", "pandas", "mne", "nilearn", "sklearn", "matplotlib"}


@pytest.mark.parametrize(
    "name",
    ["datasets", "preprocessing", "alignment", "connectivity", "catalog", "models", "training"],
)
def test_packages_load_no_torch(name):
    assert "torch" not in loaded_by(f"import neurokit; neurokit.{name}")


def test_graph_library_loads_with_graph_models_only():
    code = "import neurokit as nk\nfor n in nk.__all__: getattr(nk, n)"
    assert "torch_geometric" not in loaded_by(code)


@pytest.mark.parametrize("name", neurokit.__all__)
def test_every_public_name_resolves(name):
    assert getattr(neurokit, name) is not None


def test_root_folders_hold_no_python():
    root = Path(neurokit.__file__).parents[1]
    if not (root / "pyproject.toml").exists():
        pytest.skip("not in a checkout")
    for folder in ("datasets", "models", "alignment"):
        assert not list((root / folder).rglob("*.py")), folder


def test_hugging_face_datasets_is_not_hidden(tmp_path):
    """`import datasets` must find a package of that name, from the checkout's root, too."""
    package = tmp_path / "datasets"
    package.mkdir()
    (package / "__init__.py").write_text("WHOSE = 'theirs'\n")
    root = Path(neurokit.__file__).parents[1]
    code = (
        f"import sys; sys.path.insert(1, {str(tmp_path)!r})\n"
        "import neurokit, datasets; print(datasets.WHOSE)"
    )
    out = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )
    assert out.stdout.strip() == "theirs"


def test_a_missing_extra_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "pynwb", None)
    rec = neurokit.Recording.from_spikes([0.1], [0], duration=1.0)
    with pytest.raises(ImportError, match=r"This needs pynwb.*neurokit-brain\[nwb\]"):
        rec.to_nwb()

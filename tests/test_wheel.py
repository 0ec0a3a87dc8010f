"""The built wheel: complete, clean, and able to run outside of the checkout."""

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    out = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [
            sys.executable,
            "-m",
            "build",
            "--wheel",
            "--no-isolation",
            "--outdir",
            str(out),
            str(ROOT),
        ],
        check=True,
        capture_output=True,
    )
    return next(out.glob("*.whl"))


def test_the_wheel_holds_the_library_and_the_shelf_alone(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert {n.split("/")[0] for n in names if "dist-info" not in n} == {"neurokit"}
    assert "neurokit/py.typed" in names
    assert "neurokit/__init__.pyi" in names
    shelf = [n for n in names if n.startswith("neurokit/_shelf/")]
    cards = {p.name for p in (ROOT / "datasets").rglob("*.toml")}
    assert cards <= {Path(n).name for n in shelf}
    assert {p.name for p in (ROOT / "models").glob("*.toml")} <= {Path(n).name for n in shelf}
    weights = {f"{p.parent.name}/{p.name}" for p in (ROOT / "models").glob("*/*.safetensors")}
    assert weights
    assert weights <= {"/".join(Path(n).parts[-2:]) for n in shelf}
    assert any(n.endswith("template.html") for n in names)
    assert not any("conftest" in n or n.endswith(".pyc") for n in names)


def test_the_embedded_recordings_are_small(wheel):
    packed = zipfile.ZipFile(wheel)
    data = [i for i in packed.infolist() if i.filename.startswith("neurokit/_shelf/datasets/")]
    assert 1e6 < sum(i.file_size for i in data) <= 6.3e6


def test_the_installed_wheel_answers_outside_of_the_checkout(wheel, tmp_path):
    """A fresh environment that borrows this one's dependencies, but not its neurokit."""
    home = tmp_path / "env"
    venv.create(home, with_pip=False)
    python = home / "bin" / "python"
    if not python.exists():
        pytest.skip("no POSIX virtual environment here")
    site = next((home / "lib").glob("python*/site-packages"))
    zipfile.ZipFile(wheel).extractall(site)
    borrowed = Path(pytest.__file__).parents[1]
    code = (
        f"import sys; sys.path.append({str(borrowed)!r})\n"
        "import neurokit; print(neurokit.__file__)\n"
        "neurokit.models.EEGFormer.from_pretrained('eegformer-tiny-eegmat')\n"
        "sys.argv = ['neurokit', 'run', 'grip-force', '--output', 'r.html']\n"
        "from neurokit.cli import main; main()\n"
    )
    env = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "NEUROKIT_CATALOG")}
    done = subprocess.run(
        [python, "-c", code], cwd=tmp_path, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(site))
    assert (tmp_path / "r.html").stat().st_size > 20_000

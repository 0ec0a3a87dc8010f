"""What made a result: told with versions, and without names of machines or folders."""

import platform
import subprocess
from pathlib import Path

import numpy as np

from neurokit import environment as module
from neurokit.environment import revision, versions


def test_versions_are_those_installed():
    facts = versions(["numpy", "no-such-package"])
    assert facts["packages"] == {"numpy": np.__version__}
    assert platform.python_version() in facts["python"]


def test_it_names_neither_the_machine_nor_its_folders():
    text = str(versions(["numpy"]))
    for secret in (platform.node(), str(Path.home()), str(Path.cwd())):
        assert not secret or secret not in text


def test_a_revision_is_the_checkouts_own(monkeypatch, tmp_path):
    monkeypatch.setattr(module, "__file__", str(tmp_path / "neurokit" / "environment.py"))
    assert revision() is None
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@b"]
    subprocess.run([*git, "init", "-q"], check=True)
    assert revision() is None
    (tmp_path / "file").write_text("1")
    subprocess.run([*git, "add", "file"], check=True)
    subprocess.run([*git, "commit", "-q", "-m", "one"], check=True)
    clean = revision()
    assert len(clean) == 12
    (tmp_path / "file").write_text("2")
    assert revision() == f"{clean} (modified)"
    # A package installed below somebody's repository is not of that revision.
    inside = tmp_path / "site" / "neurokit" / "environment.py"
    monkeypatch.setattr(module, "__file__", str(inside))
    assert revision() is None


def test_without_git_there_is_no_revision(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert revision() is None

import json
import subprocess
import sys
from importlib import metadata

import neurokit
from neurokit.reports import provenance as module
from neurokit.reports.provenance import provenance


def test_facts_are_true_and_plain():
    facts = provenance()
    assert facts["neurokit"] == neurokit.__version__
    assert facts["packages"]["numpy"] == metadata.version("numpy")
    assert "3." in facts["python"]
    assert json.loads(json.dumps(facts)) == facts


def test_nothing_heavy_is_loaded():
    code = (
        "import sys; from neurokit.reports.provenance import provenance; provenance(); "
        "print([m for m in ('torch', 'pandas', 'mne', 'matplotlib') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_revision_of_a_checkout(tmp_path):
    def git(*arguments):
        identity = ("-c", "user.name=n", "-c", "user.email=e@example.org")
        subprocess.run(["git", "-C", str(tmp_path), *identity, *arguments], check=True,
                       capture_output=True)  # fmt: skip

    assert module._revision(tmp_path) is None
    git("init")
    (tmp_path / "file").write_text("one")
    git("add", "file")
    git("commit", "-m", "first")
    clean = module._revision(tmp_path)
    assert len(clean) == 12
    (tmp_path / "file").write_text("two")
    assert module._revision(tmp_path) == f"{clean} (modified)"
    # A package installed below somebody's repository is not of that revision.
    (tmp_path / "site").mkdir()
    assert module._revision(tmp_path / "site") is None


def test_without_git(tmp_path, monkeypatch):
    (tmp_path / ".git").mkdir()
    monkeypatch.setenv("PATH", "")
    assert module._revision(tmp_path) is None

"""The README: short, true, and runnable."""

import io
import os
import re
import subprocess
import sys
from contextlib import redirect_stdout
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
MAKEFILE = README.with_name("Makefile").read_text(encoding="utf-8") if README.exists() else ""
TEXT = README.read_text(encoding="utf-8") if README.exists() else ""
PYTHON = re.findall(r"```python\n(.*?)```", TEXT, flags=re.DOTALL)
CONSOLE = re.findall(r"```console\n(.*?)```", TEXT, flags=re.DOTALL)

pytestmark = pytest.mark.skipif(not README.exists(), reason="not in a checkout")


def commands(block):
    """Split a console block into commands, each with the output that the README shows."""
    parts = re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]
    return [part.partition("\n")[::2] for part in parts]


def calls(command):
    """Return the calls of neurokit in a command; those of make's goals after installation."""
    if not command.startswith("make"):
        return [command] if command.startswith("neurokit") else []
    goal = command.split()[1]
    recipe = re.search(rf"^{goal}:.*\n((?:\t.*\n)*)", MAKEFILE, flags=re.MULTILINE)[1]
    return re.findall(r"\$\(BIN\)/(neurokit .*)", recipe)


def as_pattern(shown):
    """Seconds and the paths of a machine vary; every other character must be as shown."""
    pattern = re.escape(shown.strip())
    return re.sub(r"in\\ \d+\\ s", r"in\\ \\d+\\ s", pattern).replace("…", ".*")


def test_length_and_parts():
    assert len(TEXT.splitlines()) < 150
    assert PYTHON
    assert CONSOLE
    assert re.search(r"neurokit2", TEXT)


def test_pictures_and_links_exist():
    targets = re.findall(r"\]\(([^)#]+)\)", TEXT)
    local = [t for t in targets if not t.startswith("http")]
    assert any(t.endswith((".png", ".svg")) for t in local)
    assert [t for t in local if not (ROOT / t).exists()] == []


@pytest.mark.parametrize("code", PYTHON, ids=range(len(PYTHON)))
def test_python_runs_and_prints_what_it_says(code, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "Agg")
    out = io.StringIO()
    with redirect_stdout(out):
        exec(compile(code, str(README), "exec"), {})
    said = re.findall(r"^print\(.*\)  # (.*)$", code, flags=re.MULTILINE)
    assert out.getvalue().strip().splitlines() == said


@pytest.mark.parametrize("block", CONSOLE, ids=range(len(CONSOLE)))
def test_commands_print_what_is_shown(block, tmp_path):
    env = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    for command, shown in commands(block):
        said = ""
        for call in calls(command):
            done = subprocess.run(
                call.split(), cwd=tmp_path, env=env, capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, done.stderr
            said += done.stdout
        if said:
            assert re.fullmatch(as_pattern(shown), said.strip(), flags=re.DOTALL), said

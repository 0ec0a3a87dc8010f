"""A run that was killed, stopped or could not write goes on as if nothing had been."""

import importlib.util
import json
import os
import resource
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch

from neurokit.training import checkpoints, fit, interruption

HERE = Path(__file__).parent
spec = importlib.util.spec_from_file_location("runs", HERE / "runs.py")
runs = importlib.util.module_from_spec(spec)
spec.loader.exec_module(runs)


class At:
    """Does something after a step."""

    def __init__(self, step, action):
        self.step, self.action = step, action

    def on_step(self, state):
        if state.step == self.step:
            self.action()

    def on_epoch(self, state):
        pass


@pytest.fixture(scope="module")
def whole():
    return run_to_the_end()


def run_to_the_end(folder=None, callbacks=(), **options):
    data = runs.samples()
    options = {"checkpoint_dir": folder, "callbacks": callbacks, **runs.SETTINGS, **options}
    return fit(runs.Quantised(), data, data[:9], **options)


def assert_same(ours, theirs):
    assert ours.history.equals(theirs.history)
    ours, theirs = ours.model.state_dict(), theirs.model.state_dict()
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


def test_a_run_killed_at_random_steps_ends_bit_for_bit_like_one_that_was_not(tmp_path):
    seeds = ["0", "1", "2"]
    done = subprocess.run(
        [sys.executable, HERE / "runs.py", "killed", tmp_path, *seeds],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for line in done.stdout.splitlines():
        # Each was killed at three steps, and while it wrote a checkpoint.
        assert line.endswith("[9, 9, 9, 9]")
    for seed in seeds:
        whole, killed = (
            torch.load(tmp_path / seed / f"{name}.pt", weights_only=True)
            for name in ("whole", "killed")
        )
        assert whole["history"] == killed["history"]
        assert len(whole["history"]["epoch"]) == 3
        for name, value in whole["weights"].items():
            assert torch.equal(value, killed["weights"][name]), name
        assert sorted(path.name for path in (tmp_path / seed / "killed").iterdir()) == [
            *("checkpoint.pt", "config.json", "environment.json", "metrics.jsonl")
        ]


def test_what_a_killed_run_left_half_written_is_swept(tmp_path):
    left = tmp_path / f".{checkpoints.STATE}.0123"
    left.write_bytes(b"half")
    other = tmp_path / "notes.txt"
    other.write_text("mine")
    run_to_the_end(tmp_path, epochs=1)
    assert not left.exists()
    assert other.exists()


def test_ctrl_c_waits_for_the_step_and_a_checkpoint(tmp_path, whole):
    interrupt = At(8, lambda: signal.raise_signal(signal.SIGINT))
    with pytest.raises(KeyboardInterrupt, match="same call goes on from there"):
        run_to_the_end(tmp_path, [interrupt])
    found = checkpoints.load_checkpoint(tmp_path, {})
    assert (len(found["history"]), found["done"]) == (1, 3)
    seen = []
    rest = run_to_the_end(tmp_path, [At(9, lambda: seen.append(9)), At(8, lambda: seen.append(8))])
    assert seen == [9]
    assert_same(rest, whole)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_ctrl_c_twice_does_not_wait(tmp_path, whole):
    interrupt = At(8, lambda: [signal.raise_signal(signal.SIGINT) for _ in range(2)])
    with pytest.raises(KeyboardInterrupt, match="^$"):
        run_to_the_end(tmp_path, [interrupt])
    found = checkpoints.load_checkpoint(tmp_path, {})
    assert (len(found["history"]), found["done"]) == (1, 0)
    assert_same(run_to_the_end(tmp_path), whole)


def test_a_schedulers_notice_is_heeded_and_passed_on(tmp_path, whole):
    heard = []
    before = signal.signal(signal.SIGTERM, lambda *_: heard.append("term"))
    try:
        with pytest.raises(KeyboardInterrupt, match="after a checkpoint"):
            run_to_the_end(tmp_path, [At(7, lambda: signal.raise_signal(signal.SIGTERM))])
    finally:
        signal.signal(signal.SIGTERM, before)
    assert heard == ["term"]
    assert_same(run_to_the_end(tmp_path), whole)


def test_a_run_in_a_thread_leaves_signals_alone(tmp_path, whole):
    with ThreadPoolExecutor(1) as pool:
        assert_same(pool.submit(run_to_the_end, tmp_path).result(), whole)


def test_without_a_folder_ctrl_c_is_immediate():
    with pytest.raises(KeyboardInterrupt, match="^$"), interruption.interruptible(False, ""):
        signal.raise_signal(signal.SIGINT)


@contextmanager
def small_files():
    """Let no file grow beyond a kilobyte."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def full_device(monkeypatch):
    """Write checkpoints where there is never any room."""

    @contextmanager
    def replacing(path):
        yield Path("/dev/full")

    with monkeypatch.context() as patch:
        patch.setattr(checkpoints, "replacing", replacing)
        yield


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's /dev/full")
@pytest.mark.parametrize("kind", ["file too large", "no space left"])
def test_a_full_disk_leaves_the_last_good_checkpoint(tmp_path, whole, monkeypatch, kind):
    run_to_the_end(tmp_path / "other", epochs=1)
    with pytest.raises(KeyboardInterrupt):
        run_to_the_end(tmp_path, [At(6, lambda: signal.raise_signal(signal.SIGINT))])
    good = (tmp_path / checkpoints.STATE).read_bytes()
    # The description of a run is written first, and fits.
    monkeypatch.setattr("neurokit.training.loop.describe_run", lambda *_: None)
    full = small_files() if kind == "file too large" else full_device(monkeypatch)
    with full, pytest.raises(OSError, match="last good checkpoint is intact") as caught:
        run_to_the_end(tmp_path)
    assert kind in str(caught.value).lower()
    assert "\n" not in str(caught.value)
    assert caught.value.errno
    assert (tmp_path / checkpoints.STATE).read_bytes() == good
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]
    assert_same(run_to_the_end(tmp_path), whole)


def test_a_folder_that_cannot_be_written_is_told_before_training(tmp_path):
    (tmp_path / "taken").touch()
    seen = []
    with pytest.raises(OSError, match="Not a directory. There is no checkpoint from before"):
        run_to_the_end(tmp_path / "taken" / "run", [At(1, lambda: seen.append(1))])
    assert not seen


def test_two_processes_equal_one(tmp_path):
    model, data, held_out, settings = runs.pair_settings(tmp_path / "alone")
    alone = fit(model, data, held_out, **settings)
    # What one process began, two go on with.
    model, data, held_out, settings = runs.pair_settings(tmp_path / "begun")
    stop = At(7, lambda: signal.raise_signal(signal.SIGINT))
    with pytest.raises(KeyboardInterrupt):
        fit(model, data, held_out, callbacks=[stop], **settings)
    launch = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    done = subprocess.run(
        [sys.executable, *launch, HERE / "runs.py", "together", tmp_path],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    for name in ("fresh", "begun", "all"):
        first, second = (
            torch.load(tmp_path / f"{name}-{rank}.pt", weights_only=True) for rank in (0, 1)
        )
        assert first["history"] == second["history"]
        for key in first["weights"]:
            assert torch.equal(first["weights"][key], second["weights"][key]), key
        if name == "all":
            continue
        for key, value in alone.model.state_dict().items():
            torch.testing.assert_close(first["weights"][key], value, atol=1e-5, rtol=1e-5)
        for key, values in first["history"].items():
            assert values == pytest.approx(alone.history[key].tolist(), abs=1e-5)
    facts = json.loads((tmp_path / "fresh" / "environment.json").read_text())
    assert facts["processes"] == 2

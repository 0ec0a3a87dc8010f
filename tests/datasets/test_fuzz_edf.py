"""Damaged headers by the thousand: an error of ours or a recording, and nothing else."""

import resource
import signal
import warnings
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from neurokit.datasets.electrophysiology import read_mne_file
from neurokit.errors import NeurokitError

COUNT = 2000
SECONDS = 10
ALLOWANCE = 300 * 2**20
# One seed in every run; more, with other damage, by `make slow`.
SEEDS = [0, *(pytest.param(s, marks=pytest.mark.slow) for s in (10_000, 20_000, 30_000))]

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/statm").exists(), reason="memory can be bounded on Linux alone"
)


class TookTooLong(BaseException):
    pass


@contextmanager
def bounded():
    """Bound CPU time a file, and memory beyond what the process holds already."""

    def stop(*_):
        raise TookTooLong

    # The real-time alarm belongs to the test runner.
    before = signal.signal(signal.SIGVTALRM, stop)
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (held + ALLOWANCE, hard))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def edf_file():
    """Two signals of different rates and an annotation channel, four records."""
    rng = np.random.default_rng(0)
    labels, samples = ["EEG Fz", "Resp", "EDF Annotations"], [32, 8, 16]
    n = len(labels)
    fixed = b"0       " + b"X X X X".ljust(80) + b"Startdate X X X X".ljust(80)
    fixed += b"01.01.2001.00.00" + f"{256 * (n + 1):<8}".encode() + b"EDF+C".ljust(44)
    fixed += b"4       1       " + f"{n:<4}".encode()
    columns = [(labels, 16), ([""] * n, 80), (["uV", "C", ""], 8), ([-3200] * n, 8)]
    columns += [([3200] * n, 8), ([-32768] * n, 8), ([32767] * n, 8), (["HP:0.1Hz"] * n, 80)]
    columns += [(samples, 8), ([""] * n, 32)]
    head = b"".join(str(v).ljust(w).encode() for values, w in columns for v in values)
    body = b""
    for record in range(4):
        body += rng.integers(-300, 300, 40).astype("<i2").tobytes()
        body += f"+{record}\x14\x14\x00+{record}.5\x15.1\x14go\x14\x00".encode().ljust(32, b"\0")
    return fixed + head + body


HEADER = """Brain Vision Data Exchange Header File Version 1.0
[Common Infos]
Codepage=UTF-8
DataFile=a.eeg
MarkerFile=a.vmrk
DataFormat=BINARY
DataOrientation=MULTIPLEXED
NumberOfChannels=2
SamplingInterval=5000
[Binary Infos]
BinaryFormat=INT_16
[Channel Infos]
Ch1=Fz,,0.1,µV
Ch2=Cz,,0.1,µV
[Coordinates]
Ch1=1,0,60
Ch2=1,90,10
[Comment]
made up
""".encode()


EDF_WORDS = [b"-1", b"0", b"1e9", b"99999999", b"nan", b"inf", b"-inf", b"1e-9", b"EDF+D", b" "]
TEXT_WORDS = [b"-1", b"0", b"1e9", b"999999999999", b"nan", b"inf", b"=", b"[", b"]", b",", b"\n"]
TEXT_WORDS += [b"VECTORIZED", b"ASCII", b"IEEE_FLOAT_32", b"../a.eeg", b"\xff", b"", b"$b", b"%s"]


def scarred(out, rng, upto):
    """Overwrite, flip, cut or repeat a few bytes."""
    at = int(rng.integers(0, min(upto, len(out))))
    match rng.integers(0, 4):
        case 0:
            out[at] = rng.integers(0, 256)
        case 1:
            out[at] ^= 1 << int(rng.integers(0, 8))
        case 2:
            out[at : at + int(rng.integers(1, 30))] = b""
        case _:
            out[at:at] = out[at : at + int(rng.integers(1, 60))]


def mutated_edf(rng):
    out = bytearray(EDF)
    for _ in range(rng.integers(1, 4)):
        if rng.random() < 0.5:
            scarred(out, rng, 1024)
        else:
            at = int(rng.integers(0, 128)) * 8
            out[at : at + 8] = EDF_WORDS[rng.integers(len(EDF_WORDS))].ljust(8)
    return bytes(out)


def mutated_text(rng):
    out = bytearray(HEADER)
    for _ in range(rng.integers(1, 3)):
        if rng.random() < 0.5:
            scarred(out, rng, len(out))
        else:
            lines = out.split(b"\n")
            at = int(rng.integers(len(lines)))
            key = lines[at].split(b"=")[0] + b"=" if b"=" in lines[at] else b""
            lines[at] = key + TEXT_WORDS[rng.integers(len(TEXT_WORDS))]
            out = bytearray(b"\n".join(lines))
    return bytes(out)


EDF = edf_file()


def outcome(path):
    """Return None for a recording, else our error; all others pass."""
    signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
    try:
        read_mne_file(path)
    except NeurokitError as error:
        return error
    return None


def run(path, mutate, seed):
    rng = np.random.default_rng(seed)
    refused = []
    with warnings.catch_warnings(), bounded():
        warnings.simplefilter("ignore")
        for number in range(COUNT):
            path.write_bytes(mutate(rng))
            try:
                refused.append(outcome(path))
            except (Exception, TookTooLong) as error:
                pytest.fail(f"mutation {number}: {type(error).__name__}: {error}")
    errors = [e for e in refused if e is not None]
    assert not [e for e in errors if isinstance(e.__cause__, MemoryError)]
    # Both outcomes must occur often, or the mutations test nothing.
    assert COUNT / 20 < len(errors) < COUNT * 19 / 20
    return errors


@pytest.mark.parametrize("seed", SEEDS)
def test_edf_headers(tmp_path, seed):
    errors = run(tmp_path / "a.edf", mutated_edf, seed)
    assert all("a.edf" in str(e) or "Stream" in str(e) for e in errors)


@pytest.mark.parametrize("seed", SEEDS)
def test_brainvision_headers(tmp_path, seed):
    x = np.random.default_rng(0).integers(-300, 300, (64, 2)).astype("<i2")
    (tmp_path / "a.eeg").write_bytes(x.tobytes())
    (tmp_path / "a.vmrk").write_text(
        "Brain Vision Data Exchange Marker File, Version 1.0\n[Common Infos]\nDataFile=a.eeg\n"
        "[Marker Infos]\nMk1=Stimulus,S  1,9,1,0\n"
    )
    errors = run(tmp_path / "a.vhdr", mutated_text, seed + 1)
    # The header may have been made to name any of the three as its data.
    named = ("a.vhdr", "a.eeg", "a.vmrk", "Stream")
    assert all(any(name in str(e) for name in named) for e in errors)

"""Damaged files: an error of ours or a valid recording, and never much memory."""

import gzip
import warnings
from pathlib import Path

import nibabel
import numpy as np
import pytest

from neurokit.datasets.reading import read
from neurokit.errors import NeurokitError
from neurokit.recording import Recording

N_MUTANTS = 2000
# One seed in every run; more, with other damage, by `make slow`.
SEEDS = [0, *(pytest.param(s, marks=pytest.mark.slow) for s in (10_000, 20_000, 30_000))]
MOST_BYTES = 200 * 2**20
# Shape, type, scaling, offset and units, where a mutation does most.
TELLING = [*range(40, 58), *range(70, 74), *range(76, 124), *range(252, 348)]


def nifti(kind):
    values = np.random.default_rng(0).integers(0, 900, size=(5, 4, 3, 12)).astype(np.int16)
    image = kind(values, np.diag([3.0, 3, 4, 1]))
    image.header.set_slope_inter(0.5, 10.0)
    return image.to_bytes()


def damaged(original, rng, telling):
    """Change, cut or insert bytes; more often where the format is decided."""
    raw = bytearray(original)
    for _ in range(int(rng.integers(1, 10))):
        at = int(rng.choice(telling)) if rng.random() < 0.7 else int(rng.integers(len(raw)))
        raw[at % len(raw)] = int(rng.choice([0, 1, 127, 128, 255, rng.integers(256)]))
    if rng.random() < 0.15:
        del raw[int(rng.integers(1, len(raw))) :]
    if rng.random() < 0.1:
        at = int(rng.integers(len(raw)))
        raw[at:at] = rng.bytes(int(rng.integers(1, 64)))
    return bytes(raw)


def survives(path, **kwargs):
    """Read; return whether it was a recording. Any other exception fails the test."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            rec = read(path, **kwargs)
        except NeurokitError:
            return False
    assert isinstance(rec, Recording)
    assert np.isfinite(rec["bold"].values).all() or "bad" in rec["bold"].coords
    return True


@pytest.fixture
def bounded_memory():
    """Compare the peak of resident memory; tracing allocations would double the time."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        yield
        return
    before = resident("VmRSS")
    yield
    grown = resident("VmHWM") - before
    assert grown < MOST_BYTES, f"{grown / 2**20:.0f} MiB"


def resident(key):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(key))


@pytest.mark.usefixtures("bounded_memory")
@pytest.mark.parametrize("kind", [nibabel.Nifti1Image, nibabel.Nifti2Image])
@pytest.mark.parametrize("seed", SEEDS)
def test_nifti_headers(tmp_path, kind, seed):
    original, rng = nifti(kind), np.random.default_rng(seed + 1)
    telling = TELLING if kind is nibabel.Nifti1Image else [*range(540)]
    outcomes = []
    for number in range(N_MUTANTS // 2):
        mutant = damaged(original, rng, telling)
        # A third is compressed, where the size of the content is not known beforehand.
        packed = number % 3 == 0
        path = tmp_path / ("run.nii.gz" if packed else "run.nii")
        path.write_bytes(gzip.compress(mutant, 1) if packed else mutant)
        outcomes.append(survives(path, repetition_time=2.0, format="nifti"))
    assert 0.05 < np.mean(outcomes) < 0.95


@pytest.mark.usefixtures("bounded_memory")
def test_compressed_bytes(tmp_path):
    original = gzip.compress(nifti(nibabel.Nifti1Image))
    rng, path = np.random.default_rng(2), tmp_path / "run.nii.gz"
    for _ in range(300):
        path.write_bytes(damaged(original, rng, range(len(original))))
        survives(path, repetition_time=2.0, format="nifti")


@pytest.mark.usefixtures("bounded_memory")
@pytest.mark.parametrize("seed", SEEDS)
def test_tables(tmp_path, seed):
    rng, path = np.random.default_rng(seed + 3), tmp_path / "run.tsv"
    rows = ["\t".join(f"V{i}" for i in range(8))]
    rows += ["\t".join(f"{v:.3f}" for v in row) for row in rng.normal(100, 5, size=(20, 8))]
    original = "\n".join(rows).encode()
    tokens = [b"\t", b"\n", b"n/a", b'"', b"#", b"\r", b"\0", b"e999", b"inf", b"\xff", b",", b"-"]
    tokens += [b"%d" % digit for digit in range(10)]
    outcomes = []
    for _ in range(N_MUTANTS):
        mutant = bytearray(original)
        for _ in range(int(rng.integers(1, 8))):
            at = int(rng.integers(len(mutant)))
            token = tokens[int(rng.integers(len(tokens)))]
            mutant[at : at + int(rng.integers(0, 4))] = token
        if rng.random() < 0.2:
            del mutant[int(rng.integers(len(mutant))) :]
        path.write_bytes(mutant)
        outcomes.append(survives(path, repetition_time=2.0, format="timeseries"))
    assert 0.02 < np.mean(outcomes) < 0.98


@pytest.mark.usefixtures("bounded_memory")
@pytest.mark.parametrize("name", ["x.dtseries.nii", "x.func.gii", "x.mgz"])
def test_other_formats(tmp_path, name):
    values = np.random.default_rng(0).normal(size=(6, 12)).astype(np.float32)
    path = tmp_path / name
    if name.endswith("dtseries.nii"):
        from nibabel.cifti2 import BrainModelAxis, SeriesAxis

        axes = (SeriesAxis(0, 1, 6), BrainModelAxis.from_surface(np.arange(12), 12, "CortexLeft"))
        nibabel.Cifti2Image(values, header=axes).to_filename(path)
    elif name.endswith("gii"):
        parts = [nibabel.gifti.GiftiDataArray(v, "NIFTI_INTENT_TIME_SERIES") for v in values]
        nibabel.GiftiImage(darrays=parts).to_filename(path)
    else:
        nibabel.MGHImage(values.T.reshape(3, 2, 2, 6), np.eye(4)).to_filename(path)
    original, rng = path.read_bytes(), np.random.default_rng(4)
    format_name = {"dtseries.nii": "cifti", "func.gii": "gifti", "mgz": "mgh"}[name[2:]]
    for _ in range(300):
        path.write_bytes(damaged(original, rng, range(min(700, len(original)))))
        survives(path, repetition_time=2.0, format=format_name)

"""Small data of a lab, so that recipes run within a second."""

import numpy as np
import pytest

from neurokit.catalog.recipes import recipe

CARD = """
name = "toy"
title = "A toy"
modality = ["eeg"]
description = "For tests."
citation = "Nobody (2020)."
url = "https://example.org"
licence = "CC0-1.0"
access = "open"
layout = "npz"
path = "toy-files"

[read]
files = "*.npz"
names = 'S(?P<subject>\\d+)_(?P<run>\\d)\\.npz'

[read.arguments.streams.eeg]
array = "x"
axes = ["time", "channel"]
names = ["Fp1", "T3", "O2"]
sampling_rate = 100
units = "uV"
"""
RECIPE = """
name = "toy-pretrain"
title = "A toy"
kind = "pretrain"
data = "toy"

[[preprocessing]]
step = "pick"
channels = ["T7", "O2"]

[windows]
stream = "eeg"
length = 0.5

[split]
by = "subject"
validation = [4]
test = [5]

[model]
family = "EEGFormer"
preset = "tiny"

[model.changes]
sampling_rate = 100.0
patch_length = 10
stride = 5
width = 16
n_codes = 16
kmeans_batches = 2

[training]
epochs = 3
batch_size = 16
lr = 0.003
"""
TUNED = (
    RECIPE.split("[model]")[0]
    .replace("toy-pretrain", "toy-tuned")
    .replace('kind = "pretrain"', 'kind = "finetune"')
    + """
[labels]
column = "run"
merge = { rest = [1], alpha = [2] }

[model]
checkpoint = "toy-pretrain"

[training]
epochs = 3
batch_size = 16
lr = 0.003
"""
)


@pytest.fixture(scope="session")
def lab_files(tmp_path_factory):
    """Six people, noise at rest and a 10-Hz rhythm in the second run."""
    root = tmp_path_factory.mktemp("lab")
    files = root / "datasets" / "toy-files"
    files.mkdir(parents=True)
    (root / "models").mkdir()
    (root / "datasets/toy.toml").write_text(CARD)
    (root / "models/toy-pretrain.toml").write_text(RECIPE)
    (root / "models/toy-tuned.toml").write_text(TUNED)
    rng = np.random.default_rng(0)
    rhythm = 20 * np.sin(2 * np.pi * 10 * np.arange(1000) / 100)[:, None]
    for subject in range(6):
        for run in (1, 2):
            x = 10 * rng.standard_normal((1000, 3)) + (rhythm if run == 2 else 0)
            np.savez(files / f"S{subject}_{run}.npz", x=x)
    return root


@pytest.fixture
def lab(lab_files, monkeypatch):
    monkeypatch.setenv("NEUROKIT_CATALOG", str(lab_files))
    return lab_files


@pytest.fixture
def toy(lab):
    return recipe("toy-pretrain")


@pytest.fixture
def tuned(lab):
    return recipe("toy-tuned")

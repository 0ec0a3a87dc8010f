"""Windows that do not fit a Du-IN: one clear error each."""

import dataclasses

import numpy as np
import pytest
import torch

import neurokit as nk
from neurokit.errors import DataError, UnknownNameError
from neurokit.models import DuIN, DuINConfig, DuINMasked

CONFIG = DuINConfig.preset("tiny", channels=(2,), names=(("A1", "A2"),))
RNG = np.random.default_rng(0)


def _windows(x=None, rate=1024, units="z", names=("A1", "A2"), n_samples=1000, bads=()):
    x = RNG.normal(size=(4000, len(names))) if x is None else x
    rec = nk.Recording.from_array(x, rate, list(names), "ieeg", units, bads=bads)
    return nk.windows.sliding(rec, stream="ieeg", length=n_samples / rate)


def _with(column, value):
    x = RNG.normal(size=(4000, 2))
    x[:, column] = value
    return x


BAD = {
    "unit": ({"units": "uV"}, DataError, r"in 'V', expected z-scores.*standardize"),
    "rate": ({"rate": 1000}, DataError, r"have 1000 Hz, the model 1024 Hz.*resample\(rec, 1024\)"),
    "short": ({"n_samples": 60}, DataError, r"have 60 samples, expected whole patches of 100"),
    "ragged": ({"n_samples": 1024}, DataError, r"1024 samples.*Cut windows of 1000 samples"),
    "channels": ({"names": ("A1", "A2", "A3")}, DataError, r"have \(3,\) channels.*\(2,\)"),
    "name": ({"names": ("A1", "B2")}, UnknownNameError, r"Unknown channel 'B2'.*Known: 'A1', 'A2'"),
    "order": ({"names": ("A2", "A1")}, DataError, r"in the order \('A2', 'A1'\)"),
    "nan": (
        {"x": _with(1, np.nan), "bads": ("A2",)},
        DataError,
        r"1 of 2 channels.*missing values \(NaN\): A2",
    ),
    "slip": ({"x": _with(0, 1e6)}, DataError, r"root mean square is 7\.07e\+05, expected about 1"),
    "volts": ({"x": _with(slice(None), 1e-6)}, DataError, r"square is 1e-06, expected about 1"),
}


@pytest.mark.parametrize("case", BAD)
def test_windows_that_do_not_fit(case):
    settings, error, message = BAD[case]
    with pytest.raises(error, match=message):
        DuIN(CONFIG).check(_windows(**settings))


def test_windows_that_fit():
    DuIN(CONFIG).check(_windows())
    unnamed = dataclasses.replace(CONFIG, names=())
    DuIN(unnamed).check(_windows(names=("x", "y")))
    DuINMasked(unnamed).classifier(2, n_samples=1000).check(_windows(names=("x", "y")))


def test_a_model_of_several_subjects_wants_windows_of_as_many():
    model = DuIN(DuINConfig.preset("tiny", channels=(2, 1)))
    with pytest.raises(DataError, match=r"have \(2,\) channels.*the model \(2, 1\)"):
        model.check(_windows())


def test_codes_of_a_tokenizer_that_was_not_trained():
    tokenizer = DuIN(CONFIG)
    model = DuINMasked(CONFIG, tokenizer=tokenizer)
    with pytest.raises(DataError, match="was not trained.*Train a DuIN first"):
        model.check(_windows())
    for _ in range(8):  # the k-means start
        tokenizer.train().loss(_windows().batch([0, 1, 2]))
    model.check(_windows())


@pytest.mark.parametrize("subject", [-1, 2])
def test_a_subject_that_the_model_does_not_know(subject):
    model = DuIN(DuINConfig.preset("tiny", channels=(2, 2)))
    batch = {"x": torch.zeros(2, 1000, 2), "subject": torch.tensor([0, subject])}
    with pytest.raises(DataError, match="the model knows 0 to 1"):
        model.represent(batch)

"""Encoding: the same whatever the batch, and the model is given back as it came."""

import numpy as np
import pytest
import torch

from neurokit.errors import DataError
from neurokit.models import code_words, encode
from neurokit.recording import Recording
from neurokit.windows import sliding


def test_equals_the_model_and_does_not_depend_on_the_batch(stand_in, rhythm):
    stand_in.eval()
    with torch.no_grad():
        wanted = stand_in.represent(rhythm.batch(np.arange(len(rhythm)))).numpy()
    for size in (1, 7, 1000):
        z = encode(stand_in, rhythm, batch_size=size, device="cpu")
        np.testing.assert_allclose(z, wanted, atol=1e-6)
    assert z.dims == ("window", "token", "feature")
    assert z.dtype == np.float32


def test_windows_keep_what_is_known_of_them(stand_in, rhythm):
    z = encode(stand_in, rhythm, device="cpu")
    assert set(z.coords) == {"recording", "start", "label", "subject", "run"}
    np.testing.assert_array_equal(z["subject"], rhythm.groups("subject"))
    np.testing.assert_array_equal(z["label"], rhythm.labels)
    np.testing.assert_array_equal(z["start"], rhythm.start)
    assert z.attrs["model"] == "StandIn"
    assert z.sel(window=z["subject"] == "s03").sizes["window"] == 10


def test_a_model_in_training_is_given_back_as_it_came(stand_in, rhythm):
    stand_in.train()
    stand_in.layer.eval()
    a, b = (encode(stand_in, rhythm, device="cpu") for _ in range(2))
    np.testing.assert_array_equal(a, b)  # no dropout
    assert stand_in.training
    assert stand_in.dropout.training
    assert not stand_in.layer.training
    assert all(p.grad is None for p in stand_in.parameters())


def test_it_is_given_back_when_the_model_fails(stand_in, rhythm, monkeypatch):
    stand_in.train()
    monkeypatch.setattr(type(stand_in), "represent", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError, match="division"):
        encode(stand_in, rhythm, device="cpu")
    assert stand_in.training


def test_code_words_are_integers_with_channels(stand_in, rhythm):
    words = code_words(stand_in, rhythm, device="cpu", batch_size=50)
    assert words.dims == ("window", "channel", "patch")
    assert words.dtype == np.int64
    assert words["channel"].values.tolist() == ["a", "b"]
    assert set(np.unique(words)) == {0, 1}


def test_what_does_not_fit_is_refused_before_anything_runs(stand_in, rhythm):
    for other in ([], [{"x": torch.ones(1, 40, 2)}], np.ones((3, 40, 2))):
        with pytest.raises(DataError, match="expected windows, as nk.windows.sliding"):
            encode(stand_in, other, device="cpu")
    other = sliding(Recording.from_array(np.ones((40, 3)), 10, units="uV"), stream="eeg", length=2)
    with pytest.raises(DataError, match="Expected 2 channels, got 3"):
        encode(stand_in, other, device="cpu")
    with pytest.raises(DataError, match="expected a model with represent"):
        encode(torch.nn.Linear(2, 2), rhythm)
    with pytest.raises(DataError, match="expected a model with codes"):
        code_words(torch.nn.Linear(2, 2), rhythm)
    with pytest.raises(DataError, match="batch_size is 0"):
        encode(stand_in, rhythm, batch_size=0)
    with pytest.raises(DataError, match="'teapot' cannot be used"):
        encode(stand_in, rhythm, device="teapot")


def test_a_window_with_missing_samples_is_named_wherever_it_lies(stand_in):
    x = np.random.default_rng(0).normal(size=(1000, 2))
    win = sliding(Recording.from_array(x, 10, ["a", "b"], units="uV"), stream="eeg", length=2)
    win._arrays[0][703, 1] = np.nan  # which recordings refuse, unless they are read late
    for function in (encode, code_words):
        with pytest.raises(DataError, match="Window 35 has missing or infinite values in .* 'b'"):
            function(stand_in, win, batch_size=20, device="cpu")
    assert encode(stand_in, win.take(range(35)), device="cpu").sizes["window"] == 35


def test_representations_of_a_wrong_shape_are_named(stand_in, rhythm, monkeypatch):
    monkeypatch.setattr(type(stand_in), "represent", lambda _, batch: batch["x"].mean((1, 2)))
    with pytest.raises(
        DataError, match=r"array of shape \(120,\), expected \(window, feature\) or"
    ):
        encode(stand_in, rhythm, device="cpu")

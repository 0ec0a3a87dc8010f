import numpy as np
import pytest
import torch

import neurokit as nk
from neurokit.errors import DataError
from neurokit.models import EEGFormer, EEGFormerConfig
from neurokit.models.eegformer import explain, prototypes, reconstruct
from neurokit.models.eegformer.reading import read_windows, real_patches
from neurokit.models.eegformer.spectrum import amplitude_density

RATE = 128
SEGMENTS = {"patch_domain": "time", "patch_length": 32, "stride": 32}


def recording(kind, subject, seed, n_windows=12):
    """Noise; in recordings of "task" a 20-Hz burst of two seconds in C4, once a window."""
    x = 1e-5 * np.random.default_rng(seed).normal(size=(n_windows * 640, 3))
    time = np.arange(len(x)) / RATE
    if kind == "task":
        on = (time % 5 >= 1) & (time % 5 < 3)
        x[on, 1] += 6e-5 * np.sin(2 * np.pi * 20 * time[on])
    names, meta = ["C3", "C4", "Pz"], {"subject": subject, "task": kind}
    return nk.Recording.from_array(x, RATE, channels=names, stream="eeg", units="V", meta=meta)


@pytest.fixture(scope="module")
def win():
    pairs = [(kind, s) for s in range(8) for kind in ("rest", "task")]
    recs = [recording(kind, s, seed) for seed, (kind, s) in enumerate(pairs)]
    return nk.windows.sliding(recs, stream="eeg", length=5.0, labels="task")


def reading(win, **settings):
    """Make a model that knows what spectra look like, and no more."""
    model = EEGFormer(EEGFormerConfig.preset("tiny", n_codes=32, kmeans_batches=2, **settings))
    model.train()
    with torch.no_grad():
        for first in range(3):
            model.loss(win.batch(np.arange(first, len(win), 6)))
    return model.eval()


def test_planted_bursts_are_found_where_they_are(win):
    model = reading(win, **SEGMENTS)
    found = explain(model, win, groups="subject", n=2, n_permutations=199)
    best = found.patterns.loc[0]
    assert (best["class"], best["channel"], best["significant"]) == ("task", "all", True)
    assert best["probability"] > 0.9
    places = found.places[found.places["pattern"] == 0]
    assert (places["channel"] == "C4").mean() > 0.9
    # It shares time with the burst, which lies from 1 to 3 s of each window.
    begin, end = places["start"] % 5, places["start"] % 5 + places["stop"] - places["start"]
    assert ((begin < 3) & (end > 1)).mean() > 0.9
    kinds = np.array(["rest", "task"])[win.labels[places["window"]]]
    assert (kinds == "task").mean() > 0.9
    assert "low" not in found.places


def test_planted_rhythm_is_found_in_its_band(win):
    found = explain(reading(win), win, groups="subject", n=1, per_channel=True, n_permutations=199)
    ours = found.patterns[found.patterns["significant"] & (found.patterns["class"] == "task")]
    assert len(ours)
    assert set(ours["channel"]) == {"C4"}
    assert ((ours["low"] < 22) & (ours["high"] > 18)).all()
    places = found.places[found.places["pattern"].isin(ours.index)]
    assert ((places["low"] < 22) & (places["high"] > 18)).all()
    assert (places["stop"] - places["start"] == 5).all()


def test_nothing_is_significant_in_noise():
    recs = [recording("rest", s, seed) for seed, s in enumerate(np.repeat(np.arange(8), 2))]
    win = nk.windows.sliding(recs, stream="eeg", length=5.0)
    y = win.recording_index % 2
    found = explain(reading(win), win, y, "subject", n_permutations=199, top=1000)
    assert not found.patterns["significant"].any()


def test_windows_are_units_where_recordings_have_several_labels(win):
    y = np.arange(len(win)) % 2
    found = explain(reading(win), win, y, n=1, n_permutations=19)
    assert found.n_tested > len(found.patterns) == 10
    assert found.classifier.classes.tolist() == [0, 1]


def test_labels_that_cannot_be_are_refused(win):
    model = reading(win)
    unlabelled = nk.windows.sliding(win.recordings, stream="eeg", length=5.0)
    with pytest.raises(DataError, match="The windows have no labels. Give y"):
        explain(model, unlabelled)
    with pytest.raises(DataError, match=r"one label a window, shape \(192,\); got \(3,\)"):
        explain(model, win, [0, 1, 2])
    with pytest.raises(DataError, match="All windows are of one class, 1"):
        explain(model, win, np.ones(192, int))
    with pytest.raises(DataError, match="no windows to read"):
        next(read_windows(model, [], 4))


@pytest.mark.parametrize("settings", [{}, SEGMENTS])
def test_reading_leaves_out_padding_and_changes_nothing(win, settings):
    model = reading(win, **settings).train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    codes = np.concatenate([codes for codes, _ in read_windows(model, win, 50)])
    assert model.training
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    bounds = real_patches(model)
    assert codes.shape == (192, 3, len(bounds))
    assert (bounds[:, 0] < bounds[:, 1]).all()
    assert bounds[-1, 1] == pytest.approx(5.0 if settings else 64.1)
    every = nk.models.code_words(model, win, device="cpu").values
    np.testing.assert_array_equal(codes, every[:, :, : len(bounds)])


def test_input_is_the_amplitude_of_the_window(win):
    model = reading(win)
    window = reconstruct(model, win, 7)
    x = 1e6 * win.batch([7])["x"][0].T
    np.testing.assert_allclose(window["input"], amplitude_density(x, RATE), rtol=1e-3, atol=1e-3)
    assert window["input"].attrs["units"] == "µV/√Hz"
    # Without training the decoder makes nothing of the codes, but the scale is right.
    assert 0.2 < float(window["reconstruction"].mean() / window["input"].mean()) < 5
    segments = reconstruct(reading(win, **SEGMENTS), win, 7)
    assert dict(segments.sizes) == {"channel": 3, "time": 20, "frequency": 16}
    loudest = segments["input"].sel(channel="C4").max("frequency").idxmax("time")
    first = win.start[7]
    assert win.labels[7] == 0 or first + 1 <= float(loudest) <= first + 3


def test_prototypes_are_the_mean_spectra_of_their_codes(win):
    model = reading(win, **SEGMENTS)
    codes, patches = (np.concatenate(a) for a in zip(*read_windows(model, win, 64), strict=True))
    found = prototypes(model, win, [0, 5])
    assert found["count"].values.tolist() == [(codes == 0).sum(), (codes == 5).sum()]
    spread = model.patches.variance.sqrt().numpy()
    log = patches[codes == 5].mean(axis=0) * spread + model.patches.mean.numpy()
    np.testing.assert_allclose(found.sel(code=5), np.exp(log) - 0.01, rtol=1e-4)
    assert found["frequency"].values[[0, -1]].tolist() == [4.0, 64.0]
    bands = prototypes(reading(win), win, [3])
    assert bands.attrs["units"] == "SD"
    assert bands.sizes["frequency"] == 32


def test_a_window_with_missing_samples_is_named_wherever_it_lies():
    recs = [recording(kind, 0, seed, n_windows=40) for seed, kind in enumerate(("rest", "task"))]
    win = nk.windows.sliding(recs, stream="eeg", length=5.0, labels="task")
    win._arrays[1][13 * 640 + 5, 2] = np.nan  # which recordings refuse, unless they are read late
    model = EEGFormer(EEGFormerConfig.preset("tiny"))
    model.check(win)  # which looks at some windows only
    for function in (explain, nk.models.code_words, nk.models.encode):
        with pytest.raises(DataError, match="Window 53 has missing or infinite values in .* 'Pz'"):
            function(model, win)


def test_another_familys_model_is_refused(win):
    model = nk.models.DuIN(nk.models.DuINConfig.preset("tiny"))
    with pytest.raises(DataError, match="expected an EEGFormer"):
        explain(model, win)

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.signal import butter, sosfiltfilt
from sklearn.metrics import roc_auc_score

import neurokit as nk
from neurokit.datasets.spikes import read_npz
from neurokit.errors import DataError
from neurokit.models import EEGFormer, EEGFormerConfig
from neurokit.models.eegformer import AnomalyDetector

FILE = Path(__file__).resolve().parents[4] / "shared" / "data" / "eeg" / "eegmat_128hz_int16.npz"
RATE = 128
SEGMENTS = {"patch_domain": "time", "patch_length": 32, "stride": 32}


def windows(x, names=("C3", "C4", "Pz")):
    rec = nk.Recording.from_array(x, RATE, channels=list(names), stream="eeg", units="V")
    return nk.windows.sliding(rec, stream="eeg", length=5.0)


def noise(n_windows, seed):
    return 1e-5 * np.random.default_rng(seed).normal(size=(n_windows * 640, 3))


def told_apart(normal, odd):
    return roc_auc_score(np.r_[np.zeros(len(normal)), np.ones(len(odd))], np.r_[normal, odd])


@pytest.mark.parametrize("settings", [{}, SEGMENTS])
def test_lost_contact_is_found_in_its_window_and_channel(settings):
    model = EEGFormer(EEGFormerConfig.preset("tiny", n_codes=32, **settings))
    detector = AnomalyDetector(model).fit(windows(noise(60, 0)))
    x = noise(40, 1)
    x[640 * 13 + 128 : 640 * 14, 1] *= 1e-3
    found = detector.surprisal(windows(x))
    score = detector.score(windows(x))
    assert int(score.argmax("window")) == 13
    assert str(found[13].max("patch").idxmax("channel").item()) == "C4"
    np.testing.assert_allclose(score, found.max(("channel", "patch")))
    if settings:
        odd = found[13].sel(channel="C4")
        assert odd["begin"].values[odd.values > odd.values.mean()].min() >= 1.0
    assert found.attrs["units"] == "nat"


def test_untouched_windows_score_as_those_of_training():
    model = EEGFormer(EEGFormerConfig.preset("tiny", n_codes=32))
    detector = AnomalyDetector(model).fit(windows(noise(100, 0)))
    scores = [detector.score(windows(noise(60, seed))).values for seed in (1, 2)]
    assert told_apart(*scores) == pytest.approx(0.5, abs=0.12)


def test_what_is_normal_must_be_known_first():
    detector = AnomalyDetector(EEGFormer(EEGFormerConfig.preset("tiny")))
    with pytest.raises(DataError, match=r"no normal windows yet. Call fit\(win\) first"):
        detector.score(windows(noise(2, 0)))


def test_scores_do_not_depend_on_the_batch():
    model, win = EEGFormer(EEGFormerConfig.preset("tiny", n_codes=32)), windows(noise(20, 0))
    one, many = (AnomalyDetector(model, batch_size=size).fit(win) for size in (1, 64))
    np.testing.assert_allclose(one.variance, many.variance, rtol=1e-4)
    np.testing.assert_allclose(one.score(win), many.score(win), rtol=1e-4)


def test_pooled_channels_score_another_montage():
    model, win = EEGFormer(EEGFormerConfig.preset("tiny", n_codes=32)), windows(noise(20, 0))
    other = windows(noise(5, 1)[:, :2], ["Fz", "Oz"])
    pooled = AnomalyDetector(model, per_channel=False).fit(win)
    assert pooled.surprisal(other)["channel"].values.tolist() == ["Fz", "Oz"]
    with pytest.raises(
        DataError, match=r"shape \(window, 3, 20\) as in training; got \(5, 2, 20\)"
    ):
        AnomalyDetector(model).fit(win).score(other)
    with pytest.raises(DataError, match="expected an EEGFormer"):
        AnomalyDetector(torch.nn.Linear(2, 2))


def spoilt(x, kind, rng):
    """Put one kind of artefact on one window (time, channel) of EEG."""
    x, time = x.copy(), np.arange(len(x)) / RATE
    if kind == "spikes":
        some = rng.choice(x.shape[1], rng.integers(3, 8), replace=False)
        for moment in rng.uniform(0.3, 4.7, rng.integers(2, 6)):
            wave = 0.5 * np.exp(-(((time - moment - 0.12) / 0.06) ** 2))
            spike = np.clip(1 - np.abs(time - moment) / 0.035, 0, None) - wave
            x[:, some] += rng.uniform(80e-6, 200e-6) * spike[:, None]
    elif kind == "flat line":
        some, first = rng.choice(x.shape[1], rng.integers(1, 5), replace=False), rng.integers(256)
        x[first : first + 384, some] = x[first, some]
    elif kind == "muscle":
        some, first = rng.choice(x.shape[1], rng.integers(3, 8), replace=False), rng.integers(384)
        band = butter(4, [25, 60], "band", fs=RATE, output="sos")
        burst = sosfiltfilt(band, rng.normal(size=(len(x), len(some))), axis=0)
        shape = np.zeros(len(x))
        shape[first : first + 256] = np.hanning(256)
        x[:, some] += rng.uniform(15e-6, 40e-6) * burst / burst.std(axis=0) * shape[:, None]
    return x


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.skipif(not FILE.exists(), reason="needs the shared recordings")
def test_artefacts_planted_in_real_eeg_are_found(capsys):
    eeg = {"array": "X", "axes": ["channel", "time"], "sampling_rate": "sfreq"}
    eeg |= {"names": "ch_names", "scale": "scale_uV", "units": "uV"}
    facts = {"subject": "subject", "run": "run"}
    recs = read_npz(FILE, segments={"offsets": "offsets", "facts": facts}, streams={"eeg": eeg})
    scalp = [name for name in recs[0]["eeg"]["channel"].values if name != "A2-A1"]
    recs = [rec.sel(channel=scalp) for rec in recs]
    win = nk.windows.sliding(recs, stream="eeg", length=5.0)
    subject = win.groups("subject")
    train, held_out = (
        win.take(np.flatnonzero(subject < 28)),
        win.take(np.flatnonzero(subject >= 28)),
    )
    model = EEGFormer(EEGFormerConfig.preset("tiny", **SEGMENTS))
    options = {"epochs": 2, "batch_size": 32, "lr": 1e-3, "device": "cpu", "progress": False}
    nk.training.fit(model, train, **options)
    # One training window, of subject 4, has a flat line of its own: it is not normal.
    segments = train.batch(np.arange(len(train)))["x"].numpy().reshape(len(train), 20, 32, 19)
    normal = (segments.std(axis=2) > 1e-7).all(axis=(1, 2))
    assert (~normal).sum() == 1
    detector = AnomalyDetector(model).fit(train.take(np.flatnonzero(normal)))
    rng = np.random.default_rng(0)
    order = rng.permutation(len(held_out))
    controls = detector.score(held_out.take(order[:182])).values
    touched = held_out.take(order[182:])
    x = touched.batch(np.arange(len(touched)))["x"].numpy()
    table = {}
    for kind in ("nothing", "spikes", "flat line", "muscle"):
        odd = np.concatenate([spoilt(window, kind, rng) for window in x])
        table[kind] = told_apart(controls, detector.score(windows(odd, scalp)).values)
    with capsys.disabled():
        print({kind: round(float(value), 3) for kind, value in table.items()})
    assert table.pop("nothing") == pytest.approx(0.5, abs=0.08)
    assert min(table.values()) >= 0.9


def test_channels_are_in_the_places_in_which_they_were_normal():
    model = EEGFormer(EEGFormerConfig.preset("tiny"))
    x = noise(4, 0)
    turned = windows(x, ("C4", "C3", "Pz"))
    detector = AnomalyDetector(model).fit(windows(x))
    with pytest.raises(DataError, match="channels are C4, C3, Pz; learnt from were C3, C4, Pz"):
        detector.score(turned)
    AnomalyDetector(model, per_channel=False).fit(windows(x)).score(turned)

"""The state subspace finds what changes within people, and not what sets them apart."""

import numpy as np
import pytest
import scipy.linalg
import scipy.signal
import torch

from neurokit.errors import DataError, UnknownNameError
from neurokit.models import StateSubspace, StateSubspaceConfig, compare, encode, linear_probe
from neurokit.models.states.features import StateFeatures, log_matrix
from neurokit.models.states.network import _directions, _neighbours
from neurokit.recording import Recording
from neurokit.windows import sliding

RATE, LENGTH, NAMES = 100.0, 2.0, ("F3", "C3", "P3", "O1")


def config(**changes):
    given = {"n_features": 4, "n_components": 40, **changes}
    return StateSubspaceConfig(NAMES, sampling_rate=RATE, window=LENGTH, **given)


def person(rng, run, mixing):
    """Noise through a person's own mixing; in run 1 two channels share a 10-Hz rhythm."""
    x = rng.normal(size=(4000, 4)) @ mixing
    own, shared = rng.normal(size=(2, 4000, 1))
    t = np.arange(4000)[:, None] / RATE
    slow = scipy.signal.lfilter([0.05], [1, -0.95], np.concatenate([own, shared], 1), axis=0)
    rhythm = 9 * slow * np.cos(2 * np.pi * 10 * t)
    x[:, 1] += rhythm[:, 0]
    x[:, 2] += rhythm[:, run]  # power is the same in both runs
    return Recording.from_array(1e-5 * x, RATE, NAMES, meta={"run": run})


@pytest.fixture(scope="module")
def win():
    rng = np.random.default_rng(0)
    recs = []
    for subject in range(10):
        mixing = np.eye(4) + 0.3 * rng.normal(size=(4, 4))
        for run in (0, 1):
            rec = person(rng, run, mixing)
            recs.append(Recording.from_array(
                rec["eeg"].values, RATE, NAMES, meta={"subject": subject, "run": run}))  # fmt: skip
    return sliding(recs, stream="eeg", length=LENGTH, labels="run")


def test_log_matrix_equals_scipy_and_undoes_the_exponential():
    a = torch.randn(3, 5, 5, dtype=torch.float64)
    matrix = a @ a.mT + torch.eye(5, dtype=torch.float64)
    wanted = np.stack([scipy.linalg.logm(m) for m in matrix.numpy()])
    np.testing.assert_allclose(log_matrix(matrix), wanted, atol=1e-9)


@pytest.mark.parametrize("average", [True, False])
def test_features_do_not_depend_on_the_gain(average):
    features = StateFeatures(config(average_reference=average))
    x = 1e-5 * torch.randn(3, 200, 4, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(features.plain(x), features.plain(10 * x), atol=1e-3, rtol=0)


def test_covariances_are_those_of_filtered_channels():
    x = np.random.default_rng(0).normal(size=(200, 4)) * 1e-5
    features = StateFeatures(config(average_reference=False))
    n = features.config.block_sizes[0]
    found = features.plain(torch.from_numpy(x)[None])[0, n:].view(-1, 10)[2]
    taper = scipy.signal.windows.tukey(200, 0.2)[:, None]
    spectrum = np.fft.rfft((x - x.mean(axis=0)) * taper, axis=0)
    spectrum[(np.fft.rfftfreq(200, 0.01) < 8) | (np.fft.rfftfreq(200, 0.01) >= 13)] = 0
    wanted = np.cov(np.fft.irfft(spectrum, axis=0).T, bias=True)
    wanted = scipy.linalg.logm(wanted / np.diag(wanted).mean() + 0.02 * np.eye(4))
    unfolded = wanted[np.triu_indices(4)] * np.where(np.eye(4)[np.triu_indices(4)] == 1, 1, 2**0.5)
    np.testing.assert_allclose(found, unfolded, atol=1e-3)


def test_an_average_reference_takes_out_what_all_channels_share():
    generator = torch.Generator().manual_seed(0)
    x, shared = (1e-5 * torch.randn(3, 200, c, generator=generator) for c in (4, 1))
    n = config().block_sizes[0]
    for average in (True, False):
        features = StateFeatures(config(average_reference=average))
        change = (features.plain(x + 3 * shared) - features.plain(x))[:, n:].abs().max()
        assert (change < 1e-2) == average


def test_a_rhythm_is_in_its_band_and_its_channels():
    t = torch.arange(200) / RATE
    x = 1e-6 * torch.randn(1, 200, 4, generator=torch.Generator().manual_seed(0))
    x[0, :, 2] += 5e-5 * torch.sin(2 * torch.pi * 10.3 * t)
    features = StateFeatures(config())
    shape = features.plain(x)[0, : features.config.block_sizes[0]].view(-1, 4)
    assert features.config.fine_bands[int(shape[:, 2].argmax())] == 10.0
    assert shape[:, 2].max() > shape[:, [0, 1, 3]].max() + 2


def test_units_are_converted_explicitly(win):
    x = win.batch([0, 1])["x"]
    volts, micro = StateFeatures(config()), StateFeatures(config(units="uV"))
    torch.testing.assert_close(volts.plain(x), micro.plain(1e6 * x), atol=1e-3, rtol=1e-4)


def test_both_blocks_weigh_the_same_once_standardised(win):
    features = StateFeatures(config())
    plain = features.plain(win.batch(np.arange(len(win)))["x"])
    features.standardise(plain)
    z = (plain - features.mean) * features.scale
    first, second = z.split(features.config.block_sizes, dim=1)
    assert float(first.var(dim=0).sum()) == pytest.approx(1, rel=1e-3)
    assert float(second.var(dim=0).sum()) == pytest.approx(1, rel=1e-3)


def test_directions_equal_scipys_generalised_eigenvectors():
    rng = np.random.default_rng(0)
    group, recording = np.repeat(np.arange(5), 40), np.repeat(np.arange(10), 20)
    z = rng.normal(size=(200, 6)).cumsum(axis=0) * 0.2 + rng.normal(size=(200, 6))
    before, after = _neighbours(recording, np.tile(np.arange(20.0), 10))
    settings = config(n_features=3, n_components=6, shrinkage=0.4)
    found = _directions(torch.from_numpy(z), group, recording, before, after, settings).numpy()
    own = z - np.stack([z[group == g].mean(0) for g in range(5)])[group]
    change = (z[after] - z[before]) / np.sqrt(2)
    within, fast = own.T @ own / 200, change.T @ change / len(change)
    fast = 0.6 * fast + 0.4 * np.trace(fast) / 6 * np.eye(6)
    vectors = scipy.linalg.eigh(within, fast)[1][:, ::-1][:, :3].T
    signs = np.sign((found * vectors).sum(axis=1, keepdims=True))
    np.testing.assert_allclose(found, signs * vectors, atol=1e-5)


def test_a_state_is_found_where_people_differ_more():
    rng = np.random.default_rng(1)
    group, recording = np.repeat(np.arange(12), 40), np.repeat(np.arange(24), 20)
    z = rng.normal(size=(480, 20))
    z[:, :10] += 10 * rng.normal(size=(12, 10))[group]  # traits, which PCA would keep
    z[:, 15] += 2 * (recording % 2)
    before, after = _neighbours(recording, np.tile(np.arange(20.0), 24))
    settings = config(n_features=1, n_components=20)
    found = _directions(torch.from_numpy(z), group, recording, before, after, settings)[0]
    assert int(found.abs().argmax()) == 15


def test_connections_are_learnt_that_band_power_does_not_show(win):
    subject = win.groups("subject")

    def learnt(train):
        model = StateSubspace(config()).fit(win.take(train), subject[train])
        return encode(model, win, device="cpu")

    found = linear_probe(learnt, win.labels, subject, cv=5, strengths=[0.1], n_bootstrap=20)
    assert float(found["mean"].sel(metric="auroc")) > 0.9
    model = StateSubspace(config()).fit(win, subject)
    table = compare(model, win, groups=subject, device="cpu", strengths=[0.1], n_bootstrap=20)
    assert table.loc["band power", "auroc"] < 0.7
    assert table.loc["random weights", "auroc"] < table.loc["StateSubspace", "auroc"]


def test_the_order_of_windows_does_not_matter(win):
    subject, order = win.groups("subject"), np.random.default_rng(0).permutation(len(win))
    a = StateSubspace(config()).fit(win, subject).subspace.weight
    b = StateSubspace(config()).fit(win.take(order), subject[order]).subspace.weight
    alike = torch.nn.functional.cosine_similarity(a, b, dim=1).abs()
    assert float(alike.detach().min()) > 0.999


def test_saved_and_loaded_it_represents_the_same(win, tmp_path):
    model = StateSubspace(config()).fit(win, win.groups("subject"))
    model.save_pretrained(tmp_path)
    again = StateSubspace.from_pretrained(tmp_path)
    batch = win.batch([3, 50])
    torch.testing.assert_close(again.represent(batch), model.represent(batch))


def test_a_head_can_be_trained_on_it(win):
    head = StateSubspace(config()).fit(win, win.groups("subject")).classifier(["0", "1"])
    head.loss(win.batch([0, 1, 60, 61]))["loss"].backward()
    assert head.backbone.subspace.weight.grad.abs().sum() > 0


WRONG = {
    "Windows of 1 s at 100 Hz for a model of 2 s": lambda rec: (rec, 1.0, {}),
    "Unknown channel 'F3'. Did you mean 'F4'": lambda rec: (
        rec.sel(channel=["F3"]),
        2.0,
        {"channels": ("F4",)},
    ),
    "Select the same, in this order": lambda rec: (rec, 2.0, {"channels": NAMES[::-1]}),
    "the model's in 'mV'": lambda rec: (rec, 2.0, {"units": "mV"}),
}


@pytest.mark.parametrize("message", WRONG)
def test_windows_that_do_not_fit(win, message):
    rec, length, changes = WRONG[message](win.recordings[0])
    settings = {"channels": NAMES, "sampling_rate": RATE, "window": LENGTH, **changes}
    model = StateSubspace(StateSubspaceConfig(**settings))
    with pytest.raises((DataError, UnknownNameError), match=message):
        model.check(sliding(rec, stream="eeg", length=length))


def test_too_little_to_learn_from(win):
    with pytest.raises(DataError, match="follow each other"):
        StateSubspace(config()).fit(win.take([0, 20]), [0, 1])
    with pytest.raises(DataError, match="3 windows for 4 dimensions"):
        StateSubspace(config()).fit(win.take([0, 1, 2]), [0, 0, 0])
    with pytest.raises(DataError, match="Got 2 groups for 3 windows"):
        StateSubspace(config()).fit(win.take([0, 1, 2]), [0, 1])
    with pytest.raises(DataError, match="Expected x of shape"):
        StateSubspace(config()).represent({"x": torch.zeros(2, 7, 4)})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"bands": (4.0,)}, "expected rising borders"),
        ({"bands": (4.0, 4.1)}, "at least 0.5 Hz apart"),
        ({"bands": (4.0, 60.0)}, "above 50 Hz, half the sampling rate"),
        ({"shrinkage": 1.5}, "shrinkage is 1.5"),
        ({"units": "T"}, "Unknown unit 'T'"),
        ({"n_components": 2}, "n_components is 2"),
    ],
)
def test_settings_that_make_no_sense(changes, message):
    with pytest.raises((DataError, UnknownNameError), match=message):
        config(**changes)

import numpy as np
import pytest
import torch
import xarray as xr

import neurokit as nk
from neurokit.connectivity import connection_auroc, direction_accuracy
from neurokit.errors import DataError
from neurokit.models.neuroformer import Neuroformer, NeuroformerConfig
from neurokit.models.neuroformer.connectivity import attention_per_pair, estimate_connectivity
from neurokit.models.neuroformer.perturbation import _drawn, perturbation_effects
from neurokit.models.neuroformer.unexplained import corrected_effects, unexplained_effects
from neurokit.models.neuroformer.unit_pairs import double_centred
from neurokit.windows.spike_tokens import EOS, FIRST, PAD, SOS

IDS = [4, 7, 9, 12]
QUIET = {"device": "cpu", "progress": False}


def recording(seed=0, duration=6.0, rate=6.0, session=""):
    rng = np.random.default_rng(seed)
    n = int(duration * rate * len(IDS))
    speed = nk.Recording.from_array(rng.normal(size=(600, 1)), 100, ["speed"], "behaviour")
    return nk.Recording.from_spikes(
        rng.uniform(0, duration, n),
        np.concatenate([IDS, rng.choice(IDS, n - len(IDS))]),
        duration=duration,
        streams={"behaviour": speed["behaviour"]},
        meta={"session": session},
    )


@pytest.fixture(scope="module")
def win():
    return nk.windows.spike_windows(
        recording(), length=0.1, history=0.15, dt=0.01, beside={"behaviour": 0.1}
    )


@pytest.fixture(scope="module")
def model(win):
    """Random weights, large enough for effects that stand out of rounding."""
    model = Neuroformer(NeuroformerConfig.of(win, width=16, n_heads=2, history_layers=2, seed=3))
    with torch.no_grad():
        for weight in model.parameters():
            weight.mul_(1.5)
    return model.eval()


def one(win, row):
    """Return a window as lists of (step, id) of its past and itself, and what is beside."""
    batch = win.batch([row])
    rows = [batch[name][0].tolist() for name in ("past_step", "past_id", "step", "id")]
    past = [(s, i) for s, i in zip(*rows[:2], strict=True) if i != PAD]
    now = [(s, i) for s, i in zip(*rows[2:], strict=True) if i >= FIRST]
    return past, now, batch["behaviour"]


def chances(model, past, now, behaviour):
    """Return the probabilities of units after the start and after each spike."""
    steps, ids = zip(*[(SOS, SOS), *now, (EOS, EOS)], strict=True)
    past_steps, past_ids = zip(*(past or [(PAD, PAD)]), strict=True)
    named = {"step": steps, "id": ids, "past_step": past_steps, "past_id": past_ids}
    batch = {name: torch.tensor([values]) for name, values in named.items()}
    with torch.no_grad():
        logits = model({**batch, "behaviour": behaviour}).id_logits
    # Neither padding nor a start can follow.
    return logits[..., EOS:].softmax(-1)[0, :-1, 1:].double().numpy()


def put_in(spikes, step, id):
    at = sum(s <= step for s, _ in spikes)
    return [*spikes[:at], (step, id), *spikes[at:]], at


def test_perturbation_is_what_putting_in_a_spike_does(model, win):
    found = perturbation_effects(model, win, n_contexts=20, batch_size=6, seed=5, **QUIET)
    expected = np.zeros((4, 4))
    drawn = [pair for some in _drawn(win, 20, 4, 5) for pair in zip(*some, strict=True)]
    assert sorted({instant for _, instant in drawn}) == list(range(-5, 5))
    for row, instant in drawn:
        past, now, beside = one(win, row)
        before = chances(model, past, now, beside)
        for source in range(4):
            if instant < 0:
                changed, _ = put_in(past, 15 + instant + FIRST, source + FIRST)
                effect = chances(model, changed, now, beside).sum(0) - before.sum(0)
            else:
                changed, at = put_in(now, instant + FIRST, source + FIRST)
                after = chances(model, past, changed, beside)[at + 1 :]
                effect = after.sum(0) - before[at:].sum(0)
            expected[:, source] += effect / 20
    np.fill_diagonal(expected, np.nan)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert np.nanstd(expected) > 0.01


def test_errors_are_what_follows_beyond_expectation(model, win):
    some = win.take(range(12))
    found = unexplained_effects(model, some, batch_size=5, **QUIET)
    errors = [[[] for _ in range(4)] for _ in range(2)]
    for row in range(len(some)):
        past, now, beside = one(some, row)
        chance = chances(model, past, now, beside)
        fired = np.eye(4)[[id - FIRST for _, id in now]].reshape(-1, 4)
        for step, id in past:
            if step - FIRST >= 10:
                errors[0][id - FIRST].append(fired.sum(0) - chance.sum(0))
        for at, (step, id) in enumerate(now, start=1):
            if step - FIRST < 5:
                errors[1][id - FIRST].append(fired[at:].sum(0) - chance[at:].sum(0))
    mean = np.array([[np.mean(e, axis=0) for e in side] for side in errors]).mean(0).T
    square = np.array([[np.var(e, axis=0) / len(e) for e in side] for side in errors])
    off = ~np.eye(4, dtype=bool)
    np.testing.assert_allclose(found["effect"].values[off], mean[off], atol=1e-5)
    error = np.sqrt(square.sum(0)).T / 2
    np.testing.assert_allclose(found["standard_error"].values[off], error[off], atol=1e-5)


def test_attention_is_averaged_over_co_occurrences(model, win):
    some = win.take(range(10))
    found = attention_per_pair(model, some, centred=False, batch_size=4, **QUIET)
    read = [[[] for _ in range(4)] for _ in range(4)]
    for row in range(len(some)):
        batch = some.batch([row])
        weights = model.history_attention(batch).mean(0)[0]
        for at, target in enumerate(batch["id"][0, 1:].tolist()):
            for column, source in enumerate(batch["past_id"][0].tolist()):
                if min(target, source) >= FIRST:
                    read[target - FIRST][source - FIRST].append(float(weights[at, column]))
    expected = np.array([[np.mean(pairs) if pairs else 0 for pairs in row] for row in read])
    np.fill_diagonal(expected, np.nan)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    centred = attention_per_pair(model, some, **QUIET)
    np.testing.assert_allclose(np.nansum(centred, axis=0), 0, atol=1e-6)


@pytest.mark.parametrize("method", ["corrected", "perturbation", "attention"])
def test_names_units_and_does_not_mind_batches(model, win, method):
    settings = {} if method == "attention" else {"n_contexts": 30}
    found = model.connectivity(win, method=method, **settings, **QUIET)
    assert found.dims == ("target", "source")
    assert found.attrs["method"] == method
    assert list(found["target"].values) == list(found["source"].values) == IDS
    assert np.isnan(np.diag(found)).all()
    assert np.isfinite(found.values).sum() == 12
    again = model.connectivity(win, method=method, batch_size=7, **settings, **QUIET)
    np.testing.assert_allclose(found, again, atol=1e-5)


def test_the_model_stays_as_it_was(model, win):
    model.train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    first = estimate_connectivity(model, win, n_contexts=5, **QUIET)
    assert model.training
    assert first.identical(estimate_connectivity(model, win, n_contexts=5, **QUIET))
    assert not first.equals(estimate_connectivity(model, win, n_contexts=5, seed=1, **QUIET))
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    model.eval()


def test_corrections_are_shrunk_by_their_errors(model, win):
    known = perturbation_effects(model, win, n_contexts=10, **QUIET)
    rest = unexplained_effects(model, win, **QUIET)
    found = corrected_effects(model, win, n_contexts=10, **QUIET)
    share = 1 - float((rest["standard_error"] ** 2).sum() / (rest["effect"] ** 2).sum())
    assert found.attrs["unexplained_share"] == pytest.approx(max(0, share))
    np.testing.assert_allclose(found, known + max(0, share) * rest["effect"])


def test_chance_errors_add_nothing(model, win, monkeypatch):
    rest = unexplained_effects(model, win, **QUIET)
    rest["standard_error"] = 2 * abs(rest["effect"])
    monkeypatch.setattr(
        "neurokit.models.neuroformer.unexplained.unexplained_effects", lambda *_, **__: rest
    )
    found = corrected_effects(model, win, n_contexts=10, **QUIET)
    assert found.attrs["unexplained_share"] == 0
    np.testing.assert_array_equal(found, perturbation_effects(model, win, n_contexts=10, **QUIET))


def test_double_centring_leaves_what_belongs_to_pairs():
    rng = np.random.default_rng(0)
    pairs = double_centred(rng.normal(size=(7, 7)))
    shifted = pairs + rng.normal(size=7) + rng.normal(size=(7, 1))
    np.testing.assert_allclose(double_centred(shifted), pairs, atol=1e-9)
    shifted[2, 5] = np.nan
    rest = double_centred(shifted)
    assert rest[2, 5] == 0
    np.testing.assert_allclose(np.nansum(rest, axis=0), 0, atol=1e-9)
    np.testing.assert_allclose(np.nansum(rest, axis=1), 0, atol=1e-9)


def test_units_of_other_sessions_are_left_out(win):
    recs = [recording(1, session="a"), recording(2, session="b")]
    both = nk.windows.spike_windows(recs, length=0.1, history=0.1)
    model = Neuroformer(NeuroformerConfig.of(both, width=16, n_heads=2))
    with pytest.raises(DataError, match=r"2 sessions, \['a', 'b'\].*win.take"):
        estimate_connectivity(model, both, **QUIET)
    second = both.take(both.groups("session") == "b")
    for method in ("corrected", "attention"):
        found = estimate_connectivity(model, second, method=method, **QUIET)
        assert list(found["source"].values) == IDS


def test_says_what_is_wrong(model, win):
    with pytest.raises(DataError, match="method is 'guess' .*expected one of"):
        estimate_connectivity(model, win, method="guess")
    with pytest.raises(DataError, match="n_contexts is 0"):
        estimate_connectivity(model, win, n_contexts=0, **QUIET)
    with pytest.raises(DataError, match="vocabulary of 4 units, the model of 5"):
        estimate_connectivity(Neuroformer(NeuroformerConfig.of(win, n_units=5, vocabulary=())), win)
    blind = Neuroformer(NeuroformerConfig.of(win, width=16, n_heads=2, history_layers=0))
    with pytest.raises(DataError, match="reads no past"):
        estimate_connectivity(blind, win, method="attention", **QUIET)


def driven(seed=0, duration=100.0):
    """Unit 0 makes 1 and 2 fire, 3 makes 4 fire, 5 silences 4; 6 and 7 are alone."""
    rng = np.random.default_rng(seed)
    own = [np.sort(rng.uniform(0, duration, rng.poisson(8 * duration))) for _ in range(8)]
    for source, target, delay in ((0, 1, 0.012), (0, 2, 0.02), (3, 4, 0.015)):
        caused = own[source][rng.random(own[source].size) < 0.6] + delay
        own[target] = np.sort(np.concatenate([own[target], caused]))
    last = np.searchsorted(own[5], own[4]) - 1
    since = own[4] - np.where(last >= 0, own[5][last], -1)
    own[4] = own[4][since > 0.03]
    units = np.repeat(np.arange(8), [len(times) for times in own])
    rec = nk.Recording.from_spikes(np.concatenate(own), units, duration=duration + 1)
    truth = xr.DataArray(np.zeros((8, 8)), {"target": range(8), "source": range(8)})
    for source, target, sign in ((0, 1, 1), (0, 2, 1), (3, 4, 1), (5, 4, -1)):
        truth[target, source] = sign
    return rec, truth


@pytest.fixture(scope="module")
def learnt():
    """Return what each method finds after a training, and the truth."""
    rec, truth = driven()
    win = nk.windows.spike_windows(rec, length=0.05, history=0.05, dt=0.005)
    model = Neuroformer(NeuroformerConfig.of(win, width=32, n_heads=2))
    nk.training.fit(model, win, epochs=6, batch_size=32, lr=6e-3, device="cpu", progress=False)
    methods = ("corrected", "perturbation", "attention")
    return {
        name: estimate_connectivity(model, win, method=name, **QUIET) for name in methods
    }, truth


@pytest.mark.parametrize("method", ["corrected", "perturbation", "attention"])
def test_a_trained_model_knows_who_drives_whom(learnt, method):
    found, truth = learnt[0][method], learnt[1]
    assert connection_auroc(found, truth > 0) > 0.97
    assert direction_accuracy(found, truth > 0) == 1


@pytest.mark.parametrize("method", ["corrected", "perturbation"])
def test_suppression_is_below_zero(learnt, method):
    found = learnt[0][method]
    values = found.values[~np.eye(8, dtype=bool)]
    assert float(found.sel(target=4, source=5)) == values.min()

"""Likelihoods are those of a proper distribution, and baselines find what was planted."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pytest
import scipy.stats
import torch
from torch import Tensor, nn

import neurokit as nk
from neurokit.errors import DataError, UnknownNameError
from neurokit.models.neuroformer import Neuroformer, NeuroformerConfig
from neurokit.models.neuroformer.glm import (
    _apart,
    _known,
    _regression,
    glm_likelihood,
    rate_likelihood,
    step_counts,
)
from neurokit.models.neuroformer.likelihood import _scored, held_out_likelihood, window_likelihood
from neurokit.windows.spike_tokens import EOS, FIRST, PAD, SOS

# No unit is another session's.
ALL = torch.arange(2 + FIRST)[None] < EOS


class Answer(NamedTuple):
    id_logits: Tensor
    step_logits: Tensor


class Fixed(nn.Module):
    """Draws the same unit whatever came before, and ends at the latest after two spikes."""

    def __init__(self, id_logits: list[float], n_steps: int, most: int | None = None) -> None:
        super().__init__()
        self.scores, self.n_steps, self.most = torch.tensor(id_logits), n_steps, most

    def forward(self, batch: Mapping[str, Tensor]) -> Answer:
        shape = batch["id"].shape
        identity = self.scores.expand(*shape, -1).clone()
        if self.most is not None:
            identity[:, self.most :, FIRST:] = -torch.inf
        # The logits of special steps and of steps in the past must not matter.
        step = torch.linspace(3, 1, self.n_steps + FIRST).expand(*shape, -1)
        return Answer(identity, step)

    def check(self, win: Any) -> None:
        pass


class Layout(NamedTuple):
    vocabulary: tuple[int, ...]
    n_samples: int


def sequence(spikes: tuple[tuple[int, int], ...]) -> dict[str, Tensor]:
    steps, units = [s for s, _ in spikes], [u for _, u in spikes]
    framed = {"id": [SOS, *(u + FIRST for u in units), EOS]}
    framed["step"] = [SOS, *(s + FIRST for s in steps), EOS]
    return {name: torch.tensor([tokens]) for name, tokens in framed.items()}


def population(rate: np.ndarray, seed: int, drive: np.ndarray | None = None) -> nk.Recording:
    """Simulate independent units in steps of 10 ms: rate (unit,) or (step, unit) in Hz."""
    rng = np.random.default_rng(seed)
    counts = rng.poisson(rate * 0.01, (20_000, np.shape(rate)[-1]))
    step, unit = np.nonzero(counts)
    times = counts[step, unit]
    place = np.repeat(step, times) * 0.01 + 0.005
    streams = {}
    if drive is not None:
        named = nk.Recording.from_array(
            drive, 100, stream="behaviour", channels=["a", "b"][: drive.shape[1]], units="z"
        )
        streams = named.streams
    return nk.Recording.from_spikes(place, np.repeat(unit, times), duration=200.0, streams=streams)


def test_probabilities_of_all_ordered_sequences_sum_to_one() -> None:
    model, layout = Fixed([9.0, 9.0, 0.3, 1.0, -0.5], n_steps=3, most=2), Layout((0, 1), 3)
    cells = list(itertools.product(range(3), range(2)))
    total = 0.0
    for n in range(3):
        for spikes in itertools.product(cells, repeat=n):
            if list(spikes) == sorted(spikes, key=lambda spike: spike[0]):
                total += float(torch.exp(-_scored(model, sequence(spikes), layout, ALL)[0, 0]))
    assert total == pytest.approx(1.0, abs=1e-5)


def test_probabilities_of_all_counts_sum_to_one_where_order_is_chance() -> None:
    model, layout = Fixed([9.0, 9.0, 0.3, 1.0, -0.5], n_steps=1, most=2), Layout((0, 1), 1)
    total = 0.0
    for n in range(3):
        for units in itertools.combinations_with_replacement(range(2), n):
            found = _scored(model, sequence(tuple((0, u) for u in units)), layout, ALL)
            loss, orders, *_ = found[:, 0]
            total += float(torch.exp(orders - loss))
    assert total == pytest.approx(1.0, abs=1e-5)


def test_a_window_scored_by_hand() -> None:
    win = nk.windows.spike_windows(
        nk.Recording.from_spikes([0.12, 0.12], [0, 1], duration=0.2),
        length=0.1,
        history=0.1,
        dt=0.1,
    )
    found = window_likelihood(Fixed([5.0, 5.0, 0.0, 0.0, 0.0], n_steps=1), win, device="cpu")
    # Three draws of one in three, steps are certain, and the two spikes have two orders.
    assert found["token_loss"].values == pytest.approx([3 * np.log(3)])
    assert found["log_likelihood"].values == pytest.approx([np.log(2) - 3 * np.log(3)])
    assert (found["n_tokens"].item(), found["n_spikes"].item()) == (3, 2)


def test_batches_and_padding_change_nothing() -> None:
    win = nk.windows.spike_windows(population(np.full(4, 9.0), 0), length=0.1, history=0.2)
    model = Neuroformer(NeuroformerConfig.of(win, width=16)).eval()
    some = win.take(np.arange(0, 200))
    whole = window_likelihood(model, some, batch_size=200, device="cpu")
    parts = window_likelihood(model, some, batch_size=7, device="cpu")
    np.testing.assert_allclose(whole["token_loss"], parts["token_loss"], rtol=1e-4, atol=1e-4)


def test_counts_are_those_of_the_recording() -> None:
    rec = population(np.array([5.0, 40.0, 1.0]), 1)
    win = nk.windows.spike_windows(rec, length=0.2, history=0.1)
    batch = win.batch(np.arange(len(win)))
    counts = step_counts(batch, 3, 20).sum(dim=(0, 1)).numpy()
    inside = rec["spikes"]["time"].values >= win.start[0]
    inside &= rec["spikes"]["time"].values < win.start[-1] + 0.2
    assert counts.tolist() == np.bincount(rec["spikes"]["unit"].values[inside]).tolist()
    before = step_counts(batch, 3, 10, "past_")[1:].sum(dim=1)
    late = step_counts(batch, 3, 20)[:-1, 10:].sum(dim=1)
    assert torch.equal(before, late)


def test_the_reference_is_poisson_with_the_units_own_rates() -> None:
    win = nk.windows.spike_windows(population(np.array([5.0, 40.0]), 2), length=0.1, history=0.1)
    counts = step_counts(win.batch(np.arange(len(win))), 2, 10).numpy()
    expected = scipy.stats.poisson.logpmf(counts, counts.mean(axis=(0, 1))).sum(axis=(1, 2))
    np.testing.assert_allclose(rate_likelihood(win), expected, rtol=1e-5)


def test_the_reference_is_the_same_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    win = nk.windows.spike_windows(population(np.array([5.0, 40.0]), 2), length=0.1, history=0.1)
    whole = rate_likelihood(win)
    monkeypatch.setattr("neurokit.models.neuroformer.glm.COUNTS_AT_ONCE", 20 * 7)
    np.testing.assert_allclose(rate_likelihood(win), whole)


def test_regression_finds_planted_tuning_and_nothing_in_noise() -> None:
    rng = np.random.default_rng(3)
    angle = np.cumsum(rng.normal(0, 0.15, 20_000))
    drive = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    rate = 4 * np.exp(1.5 * drive @ np.array([[1.0, -1.0], [0.0, 0.0]]) - 0.8)
    noise = np.stack([np.cos(angle[::-1]), np.sin(angle[::-1])], axis=1)
    gains = []
    for seen in (drive, noise):
        rec = population(rate, 4, seen)
        win = nk.windows.spike_windows(rec, length=0.1, history=0.1, beside={"behaviour": 0.1})
        train, test = next(iter(nk.windows.split_contiguous(win, 2)))
        spikes = (test.batch(np.arange(len(test)))["id"] >= FIRST).sum()
        reference = rate_likelihood(test)
        gain = glm_likelihood(train, test, ["behaviour"]) - reference
        gains.append(float(gain.sum() / spikes / np.log(2)))
    first = round(test.start[0] * 100)
    true = rate[first:][: len(test) * 10]
    share = true / true.mean(axis=0)
    assert gains[0] == pytest.approx((share * np.log2(share)).mean(), abs=0.1)
    assert -0.2 < gains[1] < 0.02


def test_regression_is_that_of_scikit_learn() -> None:
    from sklearn.linear_model import PoissonRegressor

    rng = np.random.default_rng(9)
    x = rng.normal(size=(3000, 4))
    y = rng.poisson(np.exp(x @ rng.normal(size=(4, 3)) * 0.4 - [0, 2, 4])).astype(np.float32)
    weight, offset = _regression(x.astype(np.float32), x.T @ y, y.sum(axis=0), 1e-3)
    for unit in range(3):
        other = PoissonRegressor(alpha=1e-3, tol=1e-8, max_iter=1000).fit(x, y[:, unit])
        np.testing.assert_allclose(weight[:, unit], other.coef_, atol=5e-3)
        assert offset[0, unit] == pytest.approx(other.intercept_, abs=5e-3)


@pytest.mark.parametrize("at_once", [2**23, 2000])
@pytest.mark.parametrize("history", [False, True])
def test_regression_in_pieces_is_that_of_all_steps_at_once(
    monkeypatch: pytest.MonkeyPatch, at_once: int, history: bool
) -> None:
    drive = np.random.default_rng(7).normal(size=(20_000, 1))
    rate = 5 * np.exp(0.5 * drive * [1.0, -1.0, 0.0])
    win = nk.windows.spike_windows(
        population(rate, 6, drive), length=0.1, history=0.1, beside={"behaviour": 0.1}
    )
    train, test = next(iter(nk.windows.split_contiguous(win, 2)))
    known = [
        _known(w, np.arange(len(w)), np.arange(3), ["behaviour"], history, 2) for w in (train, test)
    ]
    counts = [
        step_counts(w.batch(np.arange(len(w))), 3, 10).flatten(0, 1).numpy() for w in (train, test)
    ]
    mean, spread = known[0].mean(axis=0), known[0].std(axis=0)
    spread[spread == 0] = np.inf
    x, asked = ((each - mean) / spread for each in known)
    log_likelihood = np.zeros(len(counts[1]))
    for y, held_out in zip(counts[0].T, counts[1].T, strict=True):
        # Newton's method, in double precision.
        design, weight = np.column_stack([x, np.ones(len(x))]), np.zeros(x.shape[1] + 1)
        weight[-1], ridge = np.log(y.mean()), np.append(np.full(x.shape[1], 1e-4), 0)
        for _ in range(20):
            mu = np.exp(design @ weight)
            slope = design.T @ (mu - y) / len(y) + ridge * weight
            bend = (design * mu[:, None]).T @ design / len(y) + np.diag(ridge)
            weight -= np.linalg.solve(bend, slope)
        top = (design @ weight).max()
        expected = np.exp(np.minimum(asked @ weight[:-1] + weight[-1], top))
        log_likelihood += scipy.stats.poisson.logpmf(held_out, expected)
    monkeypatch.setattr("neurokit.models.neuroformer.glm.COUNTS_AT_ONCE", at_once)
    fit = {"history": history, "degree": 2, "alpha": 1e-4}
    found = glm_likelihood(train, test, ["behaviour"], **fit)
    np.testing.assert_allclose(found, log_likelihood.reshape(-1, 10).sum(axis=1), atol=0.02)
    np.testing.assert_allclose(found.sum(), log_likelihood.sum(), rtol=1e-5)


def test_regression_asks_for_few_windows_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    win = nk.windows.spike_windows(population(np.full(4, 5.0), 2), length=0.1, history=0.1)
    train, test = next(iter(nk.windows.split_contiguous(win, 2)))
    asked: list[int] = []

    def batch(self: nk.windows.SpikeWindows, rows: Any) -> dict[str, Tensor]:
        asked.append(len(rows))
        return whole(self, rows)

    whole = nk.windows.SpikeWindows.batch
    monkeypatch.setattr(nk.windows.SpikeWindows, "batch", batch)
    monkeypatch.setattr("neurokit.models.neuroformer.glm.COUNTS_AT_ONCE", 7 * 4 * (10 + 10))
    glm_likelihood(train, test, history=True)
    rate_likelihood(test)
    assert max(asked) == 7


def test_regression_finds_planted_coupling() -> None:
    rng = np.random.default_rng(5)
    lead = np.sort(rng.uniform(0, 200, 2000))
    rec = nk.Recording.from_spikes(
        np.concatenate([lead, lead[:-1] + 0.015]), np.repeat([0, 1], [2000, 1999]), duration=200.0
    )
    win = nk.windows.spike_windows(rec, length=0.05, history=0.1)
    train, test = next(iter(nk.windows.split_contiguous(win, 2)))
    gain = glm_likelihood(train, test, history=True) - rate_likelihood(test)
    assert gain.sum() / len(lead) / np.log(2) > 0.8


@pytest.mark.parametrize("seed", [11, 12, 13])
def test_regression_on_little_data_learns_no_noise(seed: int) -> None:
    rec = population(np.full(15, 5.0), seed).sel(time=slice(0, 60))
    win = nk.windows.spike_windows(rec, length=0.1, history=0.2)
    train, test = list(nk.windows.split_contiguous(win, 3))[-1]
    spikes = test.n_spikes.sum() * np.log(2)
    reference = rate_likelihood(test).sum()
    chosen = (glm_likelihood(train, test, history=True).sum() - reference) / spikes
    fixed = (glm_likelihood(train, test, history=True, alpha=1e-4).sum() - reference) / spikes
    assert chosen > -0.02
    assert fixed < -0.1  # which any model would beat


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_regressions_do_not_explode_beyond_what_they_learned(seed: int) -> None:
    rec = nk.datasets.simulate_stimulus_population(n_units=12, duration=120, seed=seed)
    win = nk.windows.spike_windows(rec, length=0.05, history=0.25)
    train, test = next(nk.windows.split_contiguous(win, 2))
    gain = glm_likelihood(train, test, history=True) - rate_likelihood(test)
    assert gain.sum() / test.n_spikes.sum() / np.log(2) > 0.4
    assert gain.min() > -60  # nats of one window


def test_training_windows_are_checked_too() -> None:
    rec = population(np.full(4, 8.0), 3)
    cut = {"length": 0.1, "history": 0.1}
    win = nk.windows.spike_windows(rec, **cut)
    train, test = list(nk.windows.split_contiguous(win, 4))[1]
    model = Neuroformer(NeuroformerConfig.of(win, width=16))
    words = nk.windows.Vocabulary(win.vocabulary.units[::-1])
    for changes, message in (
        ({"vocabulary": words}, "Place 0 of the vocabulary is unit 3"),
        ({"length": 0.2}, "length of the windows is 0.2"),
        ({"dt": 0.02}, "dt of the windows is 0.02"),
    ):
        other = nk.windows.spike_windows(rec, **{**cut, **changes}).take(range(5))
        with pytest.raises(DataError, match=message):
            held_out_likelihood(model, other, test, device="cpu")
    with pytest.raises(UnknownNameError, match="Unknown stream beside the spikes 'stimulus'"):
        glm_likelihood(train, test, ["stimulus"])


def test_regressions_do_not_pay_for_units_of_other_sessions() -> None:
    rng = np.random.default_rng(0)

    def session(name: str, n_units: int) -> nk.Recording:
        n = 150 * n_units
        times, units = rng.uniform(0, 30, n), rng.integers(0, n_units, n)
        return nk.Recording.from_spikes(times, units, 30.0, meta={"session": name})

    recs = [session("a", 5), session("b", 60)]
    cut = {"length": 0.1, "history": 0.2}
    alone = nk.windows.spike_windows(recs[0], **cut)
    words = nk.windows.Vocabulary.of(recs[::-1])
    found = []
    for win in (alone, nk.windows.spike_windows(recs[0], **cut, vocabulary=words)):
        train, test = list(nk.windows.split_contiguous(win, 3))[-1]
        found.append(glm_likelihood(train, test, history=True))
    np.testing.assert_allclose(*found, rtol=1e-9)
    for alpha in (-1.0, "1", np.nan):
        with pytest.raises(DataError, match="alpha is"):
            glm_likelihood(train, test, history=True, alpha=alpha)


def test_the_penalty_is_chosen_without_the_windows_that_are_scored() -> None:
    win = nk.windows.spike_windows(population(np.full(4, 8.0), 3), length=0.1, history=0.1)
    train, test = list(nk.windows.split_contiguous(win, 4))[1]
    half = np.arange(len(test)) < len(test) // 2
    whole = glm_likelihood(train, test, history=True)
    np.testing.assert_allclose(glm_likelihood(train, test.take(half), history=True), whole[half])
    # Nor does the order of the training windows count.
    mixed = train.take(np.random.default_rng(0).permutation(len(train)))
    np.testing.assert_allclose(glm_likelihood(mixed, test, history=True), whole, rtol=1e-3)
    rows = np.arange(len(train))
    first = round(0.8 * len(train))
    apart = _apart(train, rows, first)
    assert train.start[apart - 1] + 0.1 <= train.start[first] - 0.1 + 1e-9
    assert train.start[apart] + 0.1 > train.start[first] - 0.1


def test_a_silent_unit_that_fires_later_is_unlikely_not_impossible() -> None:
    rec = nk.Recording.from_spikes([1.0, 3.0, 6.0, 8.0, 9.0], [0, 0, 0, 0, 1], duration=10.0)
    win = nk.windows.spike_windows(rec, length=0.5, history=0.5)
    test, train = next(iter(nk.windows.split_contiguous(win, 2)))
    assert np.isfinite(glm_likelihood(test, train, history=True)).all()


def test_all_predictors_stand_side_by_side() -> None:
    drive = np.random.default_rng(6).normal(size=(20_000, 2))
    win = nk.windows.spike_windows(
        population(np.full(3, 5.0), 7, drive), length=0.1, history=0.1, beside={"behaviour": 0.1}
    )
    train, test = next(iter(nk.windows.split_contiguous(win, 2)))
    model = Neuroformer(NeuroformerConfig.of(win, width=16))
    found = held_out_likelihood(model, train, test, n_bootstrap=50, device="cpu")
    names = ["rate", "tuning", "history", "tuning and history", "model"]
    assert found["predictor"].values.tolist() == names
    bits = found["bits_per_spike"]
    assert bits.sel(predictor="rate") == 0
    assert (abs(bits.sel(predictor=names[1:4])) < 0.1).all()
    assert bits.sel(predictor="model") < -0.5  # untrained
    assert (found["low"] <= bits).all()
    assert (bits <= found["high"]).all()
    np.testing.assert_allclose(found["behind"], bits.sel(predictor="model") - bits, atol=1e-12)
    assert found["behind"].sel(predictor="model") == 0
    # What the predictors share cancels from stretch to stretch.
    rest = found.sel(predictor=names[:-1])
    paired, alone = rest["behind_high"] - rest["behind_low"], found["high"] - found["low"]
    assert (rest["behind_high"] < 0).all()
    assert (paired < 2 * alone.sel(predictor="model")).all()


def test_what_cannot_be_scored_is_refused() -> None:
    rec = population(np.full(3, 30.0), 8)
    win = nk.windows.spike_windows(rec, length=0.1, history=0.1)
    model = Neuroformer(NeuroformerConfig.of(win, width=16))
    with pytest.warns(UserWarning, match="spikes"):
        cut = nk.windows.spike_windows(rec, length=0.1, history=0.1, max_spikes=2)
    with pytest.raises(DataError, match="cut off by max_spikes"):
        window_likelihood(model, cut)
    with pytest.raises(DataError, match="share"):
        held_out_likelihood(model, win.take([0, 1]), win.take([2]))
    with pytest.raises(DataError, match="Nothing to regress"):
        glm_likelihood(win, win)
    other = rec.replace(meta={"session": "tuesday"})
    late = nk.windows.spike_windows(other, length=0.1, history=0.1)
    with pytest.raises(DataError, match="none to train on"):
        glm_likelihood(win, late, history=True)
    assert PAD == 0

"""Sets of units by hand, and counts in windows."""

import numpy as np
import pytest
from sklearn.metrics import f1_score, precision_score, recall_score

from neurokit.errors import DataError
from neurokit.models.evaluation import set_f1, window_counts
from neurokit.recording import Recording
from neurokit.windows import spike_windows
from neurokit.windows.spike_tokens import FIRST


def test_sets_worked_by_hand():
    fired = np.array([[1, 1, 0, 0], [1, 1, 1, 1], [1, 0, 0, 0], [0, 0, 0, 0], [1, 1, 0, 0]])
    guess = np.array([[1, 1, 0, 0], [1, 0, 0, 0], [1, 1, 1, 1], [1, 0, 0, 0], [0, 0, 0, 0]])
    found = set_f1(fired, guess)
    # Perfect; perfect precision only; perfect recall only; nothing fired; nothing predicted.
    np.testing.assert_allclose(found.precision, [1, 1, 1 / 4, 0, np.nan])
    np.testing.assert_allclose(found.recall, [1, 1 / 4, 1, np.nan, 0])
    np.testing.assert_allclose(found.f1, [1, 2 / 5, 2 / 5, 0, 0])
    assert float(found.f1.mean()) == pytest.approx(1.8 / 5)


def test_windows_without_either_set_do_not_count():
    found = set_f1([[1, 0], [0, 0]], [[1, 0], [0, 0]])
    assert np.isnan(found.f1[1])
    assert float(found.f1.mean()) == 1
    assert np.isnan(set_f1(np.zeros((3, 2)), np.zeros((3, 2))).f1).all()


def test_sets_equal_scikit_learn():
    rng = np.random.default_rng(0)
    fired, guess = rng.poisson(0.7, (80, 9)), rng.poisson(0.7, (80, 9))
    found = set_f1(fired, guess)
    for name, score in (("precision", precision_score), ("recall", recall_score), ("f1", f1_score)):
        wanted = [score(t, p, zero_division=np.nan) for t, p in zip(fired > 0, guess > 0,
                                                                    strict=True)]  # fmt: skip
        np.testing.assert_allclose(found[name], wanted)


def test_how_often_a_unit_fires_does_not_matter():
    rng = np.random.default_rng(1)
    fired, guess = rng.poisson(1, (20, 5)), rng.poisson(1, (20, 5))
    assert set_f1(fired, guess).equals(set_f1(fired * 3, guess > 0))


def test_chance_is_what_blind_predictions_score():
    rng = np.random.default_rng(2)
    rates = np.array([0.05, 0.2, 0.9, 2.0])
    fired, blind = rng.poisson(rates, (5000, 4)), rng.poisson(rates, (5000, 4))
    found = set_f1(fired, blind)
    assert abs(float(found.f1.mean() - found.f1_chance)) < 0.02
    assert float(set_f1(fired, fired).f1.mean()) == 1
    assert float(set_f1(fired, fired).f1_chance) < 0.75
    assert np.isnan(set_f1([[1]], [[1]]).f1_chance)


def test_counts_in_windows_equal_a_histogram_each():
    rng = np.random.default_rng(3)
    time, unit = rng.uniform(0, 10, 500), rng.choice([4, 2, 9], 500)
    rec = Recording.from_spikes(time, unit, 10.0)
    start = rng.uniform(-1, 10, 40)
    counts = window_counts(rec, start, 0.7)
    assert counts.unit.values.tolist() == [2, 4, 9]
    for row, begin in zip(counts, start, strict=True):
        inside = (time >= begin) & (time < begin + 0.7)
        assert row.values.tolist() == [(unit[inside] == u).sum() for u in (2, 4, 9)]


def test_a_spike_on_an_edge_belongs_to_the_window_that_begins():
    start = np.arange(0, 100) * 0.05
    rec = Recording.from_spikes(np.arange(100) / 20, np.zeros(100, int), 5.0)
    assert (window_counts(rec, start, 0.05) == 1).all()


def test_counts_are_those_of_the_tokens_in_windows():
    rng = np.random.default_rng(4)
    rec = Recording.from_spikes(rng.uniform(0, 5, 400), rng.integers(6, size=400), 5.0)
    win = spike_windows(rec, length=0.05, history=0.1, dt=0.01)
    tokens = win.batch(range(len(win)))["id"].numpy() - FIRST
    counts = window_counts(rec, win.start, win.length)
    np.testing.assert_array_equal((tokens[..., None] == np.arange(6)).sum(axis=1), counts)


def test_what_cannot_be_compared_or_counted_is_refused():
    with pytest.raises(DataError, match=r"\(window, unit\); got \(1, 1, 2\)"):
        set_f1(np.ones((1, 1, 2)), np.ones((1, 1, 2)))
    with pytest.raises(DataError, match="no whole numbers"):
        set_f1([[0.5, 0]], [[1, 0]])
    rec = Recording.from_array(np.random.default_rng(0).normal(size=(9, 1)), 1.0, stream="bold")
    with pytest.raises(DataError, match=r"no spikes to count; the streams are \['bold'\]"):
        window_counts(rec, [0.0], 1.0)
    with pytest.raises(DataError, match="length .* is 0"):
        window_counts(Recording.from_spikes([0.1], [0], 1.0), [0.0], 0)
    spikes = Recording.from_spikes([0.1], [0], 1.0)
    with pytest.raises(DataError, match=r"got a Recording. Count them: nk.models.window_counts"):
        set_f1(spikes, spikes)
    with pytest.raises(DataError, match=r"Expected numbers, shape \(..., unit\); got a list that"):
        set_f1([[1, 2], [3]], [[1, 2]])

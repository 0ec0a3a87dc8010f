import numpy as np
import pandas as pd
import pytest

from neurokit.demo import object_category
from neurokit.demo.selection import CANDIDATES, discriminant, left_out, nested
from neurokit.errors import DataError
from neurokit.recording import Recording


def simulated(signal, seed=0, runs=6, tr=2.0):
    """Runs of four blocks of two volumes with rest between, each run with its own drift."""
    rng = np.random.default_rng(seed)
    kinds = np.array(["cat", "face", "house", "shoe"])
    shapes = rng.normal(size=(4, 30))
    volumes, rows = [], []
    for run in range(runs):
        drift = np.linspace(0, rng.normal() * 10, 18)[:, None]
        x = rng.normal(size=(18, 30)) + 100 * (run + 1) + drift
        for place, kind in enumerate(rng.permutation(4)):
            start = 2 + 4 * place
            x[start : start + 2] += signal * shapes[kind]
            clock = (18 * run + start) * tr
            rows.append((clock - 2 * tr, 2 * tr, "rest", run))
            rows.append((clock, 2 * tr, kinds[kind], run))
        rows.append(((18 * run + 16 + 0) * tr + 2 * tr - 2 * tr, 2 * tr, "rest", run))
        volumes.append(x)
    x = np.concatenate(volumes)
    events = pd.DataFrame(rows, columns=["onset", "duration", "trial_type", "run"])
    events = events.drop_duplicates("onset", keep="first").sort_values("onset")
    return Recording.from_array(x, 1 / tr, stream="bold", events=events)


def score(signal, seed=0):
    blocks = object_category.block_patterns(simulated(signal, seed))
    guess = left_out(discriminant, blocks.patterns, blocks.category, blocks.run)
    return (guess == blocks.category).mean()


def test_recovers_simulated_categories():
    assert score(3.0) > 0.95


def test_scores_chance_without_signal():
    assert np.mean([score(0.0, seed) for seed in range(8)]) == pytest.approx(0.25, abs=0.1)


def test_drift_and_scale_of_a_run_do_not_matter():
    rec = simulated(1.0)
    run = np.repeat(np.arange(6), 18)
    line = np.tile(np.linspace(-1, 1, 18), 6)[:, None]
    bold = rec["bold"]
    changed = bold * (1 + run[:, None]) + 500 * run[:, None] + 40 * line * run[:, None]
    other = rec.replace({"bold": changed.assign_attrs(bold.attrs)})
    np.testing.assert_allclose(
        object_category.block_patterns(rec).patterns,
        object_category.block_patterns(other).patterns,
        atol=1e-3,
    )


def test_blocks_of_the_embedded_run(recording):
    rec = recording("object_category")
    blocks = object_category.block_patterns(rec)
    assert len(blocks.category) == 96
    assert (np.unique(blocks.category, return_counts=True)[1] == 12).all()
    assert (np.unique(blocks.run, return_counts=True)[1] == 8).all()
    assert set(blocks.place) == set(range(8))


def test_flat_voxels_are_dropped():
    rec = simulated(1.0)
    flat = rec["bold"].copy()
    flat[:, 3] = 7.0
    assert object_category.block_patterns(rec.replace({"bold": flat})).patterns.shape == (24, 29)


def test_shuffled_categories_score_chance_when_fitted_afresh(recording):
    rec = recording("object_category")
    blocks = object_category.block_patterns(rec)
    rng = np.random.default_rng(0)
    few = {name: CANDIDATES[name] for name in ("nearest centroid", "ridge, penalty 10")}
    scores = []
    for _ in range(4):
        label = np.concatenate(
            [rng.permutation(blocks.category[blocks.run == run]) for run in np.unique(blocks.run)]
        )
        guess, _ = nested(blocks.patterns, label, blocks.run, few)
        scores.append((guess == label).mean())
    assert np.mean(scores) == pytest.approx(0.125, abs=0.07)


def test_details_count_the_choice_of_every_fold(answer):
    got = answer("object_category")
    chosen = {k: v for k, v in got.details.items() if k.startswith("folds that chose ")}
    assert sum(chosen.values()) == 12
    assert {k.removeprefix("folds that chose ") for k in chosen} <= set(CANDIDATES)
    assert got.details["nearest centroid alone (share)"] < got.value


def test_null_shuffles_inside_runs_only(recording):
    rec = recording("object_category")
    blocks = object_category.block_patterns(rec)
    always = np.full(96, "face", dtype=blocks.category.dtype)
    scores = object_category._shuffled_hits(always, blocks, 0)
    np.testing.assert_allclose(scores, 0.125)
    spread = object_category._shuffled_hits(blocks.category, blocks, 0)
    assert spread.mean() == pytest.approx(0.125, abs=0.01)
    assert spread.std() > 0.02


def test_the_order_of_blocks_is_a_cue(answer):
    assert 0.125 < answer("object_category").baseline[1] < 0.35


def test_bad_events():
    rec = simulated(1.0)
    with pytest.raises(DataError, match="Expected a column 'run'"):
        object_category.block_patterns(rec.replace(events=rec.events.drop(columns="run")))
    with pytest.raises(DataError, match="2 of 108 volumes belong to no event"):
        object_category.block_patterns(rec.replace(events=rec.events.iloc[:-1]))

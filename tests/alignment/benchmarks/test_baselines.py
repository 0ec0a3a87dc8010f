"""Draws of the permuted baseline resemble their neighbours as the responses do."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d

from neurokit.alignment.benchmarks import baselines
from neurokit.alignment.benchmarks.evaluation import chosen_neuroids
from neurokit.alignment.benchmarks.regression_task import RegressionTask

PASSAGES = {"kind": "group", "group": "story", "n": 4}


def task_of(world, n=240):
    responses, _ = chosen_neuroids(world.bench.card, world.bench.assembly)
    return RegressionTask(world.bench.card, responses, np.zeros((n, 0)))


def orders(task, n=5):
    rng = np.random.default_rng(0)
    return [baselines._order(task, rng) for _ in range(n)]


def test_groups_change_places_whole(make_world):
    task = task_of(make_world(folds=PASSAGES))
    story = task.split.groups
    for order in orders(task):
        assert sorted(order) == list(range(240))
        assert all(len(set(story[order][story == name])) == 1 for name in np.unique(story))
        assert (np.diff(order) == 1).mean() > 0.9


def test_what_recurs_stays_in_its_run(make_world):
    task = task_of(make_world(folds={"kind": "group", "group": "story", "recurring": True}))
    for order in orders(task):
        assert (task.split.groups[order] == task.split.groups).all()
        assert (np.diff(order) == 1).mean() < 0.2


def test_a_series_is_rotated_and_independent_samples_are_shuffled(make_world):
    for order in orders(task_of(make_world(folds={"kind": "contiguous", "n": 5}))):
        assert (np.diff(order) % 240 == 1).all()
        assert 24 <= order[0] <= 216
    for order in orders(task_of(make_world(folds={"kind": "shuffled", "n": 5}))):
        assert (np.diff(order) == 1).mean() < 0.05


@pytest.mark.parametrize("folds", [{"kind": "group", "group": "story"}, {"kind": "contiguous"}])
def test_neighbours_that_resemble_each_other_are_no_evidence(make_world, folds, monkeypatch):
    """Of slow features and slow responses without relation, draws spread as scores do."""
    monkeypatch.setattr(baselines, "_MOST_DRAWS", 40)
    scores, spread = [], []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        world = make_world(v=1, folds={"n": 5, **folds})
        slow, own = (gaussian_filter1d(rng.standard_normal((240, k)), 6, axis=0) for k in (5, 1))
        if folds["kind"] == "group":
            passage = np.repeat(np.arange(24), 10)
            slow, own = (rng.standard_normal((24, k))[passage] for k in (5, 1))
            labelled = {"story": ("presentation", passage.astype(str))}
            responses = world.bench.assembly.responses.assign_coords(labelled)
            object.__setattr__(world.bench.assembly, "responses", responses)
        noise = rng.standard_normal((240, 6))
        world.bench.assembly.responses.values[:] = own / own.std() + 0.5 * noise[:, :1]
        task = task_of(world)
        xs = [slow / slow.std() + 0.5 * noise[:, 1:]] * 5
        scores.append(task.score(xs).mean())
        spread.append(baselines.permuted(task, xs, seed)[:, :, 0].mean(axis=1).std())
    assert 0.75 < np.mean(spread) / np.std(scores) < 1.35

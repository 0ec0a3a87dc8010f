"""The films show where the ball is, unless it is hidden."""

import numpy as np
import pytest

from neurokit.datasets import bouncing_balls
from neurokit.errors import DataError


@pytest.fixture(scope="module")
def films():
    return bouncing_balls(40, 60)


def test_the_centre_of_light_is_the_ball():
    films = bouncing_balls(30, 25, occluder=None, seed=1)
    light = films.frames.values.astype(float)
    centre = np.arange(32) + 0.5
    total = light.sum(axis=(2, 3))
    x, y = (light.sum(axis=axis) @ centre / total for axis in (2, 3))
    np.testing.assert_allclose(x, films.state.sel(variable="x"), atol=0.05)
    np.testing.assert_allclose(y, films.state.sel(variable="y"), atol=0.05)
    assert (films.visible == 1).all()
    assert not films.occluded.any()


def test_the_ball_moves_straight_and_stays_inside(films):
    place, velocity = films.state.values[..., :2], films.state.values[..., 2:]
    r = films.attrs["radius"]
    assert place.min() >= r - 1e-4
    assert place.max() <= 32 - r + 1e-4
    step = np.diff(place, axis=1)
    same = np.isclose(velocity[:, 1:], velocity[:, :-1])
    np.testing.assert_allclose(step[same], velocity[:, :-1][same], atol=1e-4)
    assert 0.5 < same.mean() < 1
    np.testing.assert_allclose(np.abs(velocity), np.abs(velocity[:, :1]).repeat(60, 1), rtol=1e-6)


def test_a_hidden_ball_leaves_no_trace(films):
    hidden = films.frames.values[films.occluded.values]
    assert len(hidden) > 100
    assert (hidden == hidden[0]).all()
    assert set(np.unique(hidden)) == {0, 110}
    r = films.attrs["radius"]
    x = films.state.sel(variable="x").values
    inside = (x - r > 16.5) & (x + r < 28.5)
    assert films.occluded.values[inside].all()
    assert not films.occluded.values[x < 16].any()
    assert ((films.visible.values == 0) == films.occluded.values).all()


def test_seeds_decide_and_more_trials_extend_fewer():
    few, many, other = bouncing_balls(3, 10), bouncing_balls(5, 10), bouncing_balls(3, 10, seed=1)
    assert few.frames.equals(many.frames[:3])
    assert not few.frames.equals(other.frames)


def test_it_begins_in_sight_and_to_the_right(films):
    assert (films.visible.values[:, 0] == 1).all()
    assert (films.state.sel(variable="vx").values[:, 0] > 0).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"radius": 20}, "radius 20 is too large for frames of 32"),
        ({"occluder": (0.9, 0.5)}, "in order"),
        ({"occluder": (0.5, 0.6)}, "wide enough for a ball 5 pixels wide"),
        ({"n_trials": 0}, "n_trials is 0"),
        ({"n_frames": 1}, "n_frames is 1"),
    ],
)
def test_bad_films_are_refused(options, message):
    with pytest.raises(DataError, match=message):
        bouncing_balls(**({"n_trials": 2} | options))

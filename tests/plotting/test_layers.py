"""Layer curves and places: what is drawn is what was given."""

import numpy as np
import pytest

from neurokit.errors import DataError
from neurokit.plotting import brain_scatter, layer_curve


def labels(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_curve_band_rivals_and_choice():
    ax = layer_curve(
        [0.1, 0.3, 0.2],
        [0, 6, 12],
        spread=[0.05, 0.05, 0.05],
        ceiling=(0.4, 0.6),
        baselines={"nuisance": 0.2, "unknown": np.nan},
        untrained=[0.0, 0.1, 0.1],
        chosen=6,
        chance=0.0,
        label="r",
    )
    assert labels(ax) == ["layers", "untrained", "chosen", "nuisance", "ceiling", "chance"]
    np.testing.assert_allclose(ax.lines[0].get_ydata(), [0.1, 0.3, 0.2])
    ring = ax.lines[2]
    assert (ring.get_xdata()[0], ring.get_ydata()[0]) == (1, 0.3)
    assert ax.get_ylabel() == "r"
    assert [t.get_text() for t in ax.get_xticklabels()] == ["0", "6", "12"]


def test_many_layers_thin_their_names():
    ax = layer_curve(np.zeros(31), range(31))
    assert 8 <= len(ax.get_xticks()) <= 16


def test_unknown_ceiling_draws_nothing():
    assert labels(layer_curve([0.1], ["a"], ceiling=float("nan"))) == ["layers"]


def test_curve_refuses_other_lengths():
    with pytest.raises(DataError, match=r"one name a layer; got 1 for shape \(2,\)"):
        layer_curve([0.1, 0.2], ["a"])


@pytest.mark.parametrize(
    ("view", "axes"),
    [("from above", "xy"), ("from the right", "yz"), ("from behind", "xz")],
)
def test_places_are_in_millimetres(view, axes):
    x, y, z = np.array([[0.01, -0.02], [0.03, 0.0], [0.05, 0.06]])
    ax = brain_scatter([0.1, 0.4], x, y, z, view=view)
    drawn = np.asarray(ax.collections[0].get_offsets())
    given = {"x": x, "y": y, "z": z}
    np.testing.assert_allclose(np.sort(drawn[:, 0]), np.sort(given[axes[0]] * 1e3))
    assert ax.get_ylabel() == f"{axes[1]} (mm)"


def test_unknown_places_are_left_out():
    ax = brain_scatter([0.1, 0.4], [0.0, np.nan], [0.0, 0.0], [0.0, 0.0])
    assert len(ax.collections[0].get_offsets()) == 1
    with pytest.raises(DataError, match="No score has a known position"):
        brain_scatter([0.1], [np.nan], [0.0], [0.0])
    with pytest.raises(DataError, match="a position for each of 2 scores"):
        brain_scatter([0.1, 0.2], [0.0], [0.0], [0.0])
    with pytest.raises(DataError, match="Expected a view from above"):
        brain_scatter([0.1], [0.0], [0.0], [0.0], view="below")

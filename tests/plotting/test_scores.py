import numpy as np
import pytest
from matplotlib.figure import Figure

from neurokit.errors import DataError
from neurokit.plotting import null_distribution, score_distribution, score_strip


def labels(ax):
    return [t.get_text() for t in ax.get_legend().get_texts()]


def test_strip_shows_only_what_is_given():
    assert labels(score_strip([0.5], ax=Figure().add_subplot())) == ["score"]
    ax = score_strip(
        [0.5, 0.2], ["a", "b"], low=[0.4, 0.1], high=[0.6, 0.3], chance=0, ceiling=[1, 2]
    )
    assert labels(ax) == ["score", "chance", "ceiling"]
    np.testing.assert_array_equal(
        [s[:, 0] for s in ax.collections[0].get_segments()], [[0.4, 0.6], [0.1, 0.3]]
    )
    low, high = ax.get_ylim()
    assert low > high


def test_strip_with_missing_scores_draws_the_rest():
    ax = score_strip([np.nan, 0.2], ["a", "b"], chance=[np.nan, 0.1])
    ax.figure.draw_without_rendering()
    assert np.isnan(ax.lines[0].get_xdata()[0])


def test_strip_of_lengths_that_disagree():
    with pytest.raises(DataError, match="one name a score; got 1 for shape"):
        score_strip([0.1, 0.2], ["a"])
    with pytest.raises(DataError, match=r"scalar or shape \(2,\); got shape \(3,\)"):
        score_strip([0.1, 0.2], chance=[0, 0, 0])


def test_distribution_counts_every_finite_score_once():
    ax = score_distribution([0.1, 0.2, np.nan, 0.9], selected=[True, False, True, True], chance=0)
    heights = np.array([p.get_height() for p in ax.patches])
    assert heights.sum() == 3 + 2
    assert labels(ax) == ["all", "selected", "median", "chance"]
    assert ax.lines[0].get_xdata()[0] == pytest.approx(0.2)


def test_distribution_of_nothing():
    with pytest.raises(DataError, match="got 0 finite of 2 and 2 flags"):
        score_distribution([np.nan, np.nan])
    with pytest.raises(DataError, match="got 2 finite of 2 and 1 flags"):
        score_distribution([0.1, 0.2], selected=[True])


def test_nulls_share_their_bins():
    ax = null_distribution(0.8, {"a": [0.0, 0.1, np.nan], "b": [0.5, 1.0]}, chance=0.0)
    edges = [{round(p.get_x(), 6) for p in c} for c in ax.containers]
    assert edges[0] == edges[1]
    assert sum(p.get_height() for p in ax.patches) == 4
    assert labels(ax)[-2:] == ["measured 0.8", "chance 0"]


def test_null_of_nothing():
    with pytest.raises(DataError, match="none in 1 nulls"):
        null_distribution(0.8, {"a": [np.nan]})

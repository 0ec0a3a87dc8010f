import numpy as np
import pytest
import xarray as xr

from neurokit.connectivity import (
    connection_auroc,
    direction_accuracy,
    hub_recall,
    out_strength,
)
from neurokit.errors import DataError, UnknownNameError


def labelled(values, ids=None):
    ids = np.arange(len(values)) if ids is None else ids
    coords = {"target": ids, "source": ids}
    return xr.DataArray(np.asarray(values, float), dims=("target", "source"), coords=coords)


@pytest.fixture
def planted():
    """Units 0 and 1 of eight drive units 2 to 7; 2 and 3 drive each other."""
    truth = np.zeros((8, 8))
    truth[2:, :2] = 1
    truth[2, 3] = truth[3, 2] = 1
    return truth


def test_auroc_by_hand():
    # Off the diagonal: connected .9 and .3; others .5, .2, .1, .4. Of 8 comparisons 6 are won.
    estimate = labelled([[7, 0.9, 0.5], [0.3, 7, 0.2], [0.1, 0.4, 7]])
    truth = np.array([[1, 1, 0], [1, 0, 0], [0, 0, 1]])
    assert connection_auroc(estimate, truth) == pytest.approx(6 / 8)


def test_direction_by_hand():
    # 1 -> 0 right, 2 -> 0 wrong, 2 -> 1 a tie.
    estimate = labelled([[0, 0.9, 0.1], [0.3, 0, 0.2], [0.5, 0.2, 0]])
    truth = np.array([[0, 1, 1], [0, 0, 1], [0, 0, 0]])
    assert direction_accuracy(estimate, truth) == pytest.approx(1.5 / 3)


def test_pairs_that_drive_each_other_have_no_direction(planted):
    estimate = labelled(planted.copy())
    estimate[2, 3] = 5
    assert direction_accuracy(estimate, planted) == 1
    with pytest.raises(DataError, match="None of the 2 connections is one-way"):
        direction_accuracy(labelled(np.ones((2, 2))), np.ones((2, 2)))


def test_truth_scores_one_and_its_transpose_has_no_direction(planted):
    assert connection_auroc(labelled(planted), planted) == 1
    assert direction_accuracy(labelled(planted.T), planted) == 0


def test_noise_is_at_chance(planted):
    rng = np.random.default_rng(0)
    noise = [labelled(rng.normal(size=(8, 8))) for _ in range(200)]
    assert np.mean([connection_auroc(x, planted) for x in noise]) == pytest.approx(0.5, abs=0.03)
    assert np.mean([direction_accuracy(x, planted) for x in noise]) == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("measure", [connection_auroc, direction_accuracy])
def test_order_and_scale_do_not_matter(planted, measure):
    rng = np.random.default_rng(1)
    estimate = labelled(planted + rng.normal(size=(8, 8)), ids=10 + np.arange(8))
    truth = labelled(planted, ids=10 + np.arange(8))
    expected = measure(estimate, truth)
    order = rng.permutation(8)
    assert measure(3 * estimate - 2, truth.isel(target=order, source=order)) == expected
    assert measure(estimate.isel(target=order, source=order), truth) == expected
    assert measure(estimate, planted) == expected


def test_the_diagonal_takes_no_part(planted):
    estimate = labelled(planted)
    for value in (np.nan, -9.0, 9.0):
        np.fill_diagonal(estimate.values, value)
        assert connection_auroc(estimate, planted + np.eye(8)) == 1
        assert hub_recall(estimate, [0, 1]) == 1


def test_hubs_are_found_after_double_centring_too(planted):
    rng = np.random.default_rng(2)
    noisy = planted + 0.1 * rng.normal(size=(8, 8))
    centred = noisy - noisy.mean(0) - noisy.mean(1, keepdims=True) + noisy.mean()
    assert hub_recall(labelled(noisy), [1, 0]) == 1
    assert hub_recall(labelled(noisy, ids=5 + np.arange(8)), [5, 8]) == 0.5
    assert hub_recall(labelled(noisy.T), [0, 1]) == 0
    assert np.allclose(centred.mean(0), 0)
    assert (out_strength(labelled(centred)) > 0).all()


@pytest.mark.parametrize("hubs", [[0, 1], [6, 7], [3]])
def test_an_estimate_that_tells_nothing_is_at_chance(planted, hubs):
    for value in (0.0, 3.0, -1.0):
        nothing = labelled(np.full((8, 8), value))
        assert connection_auroc(nothing, planted) == 0.5
        assert direction_accuracy(nothing, planted) == 0.5
        assert hub_recall(nothing, hubs) == pytest.approx(len(hubs) / 8)


def test_units_that_tie_share_the_places_that_are_left():
    # Strengths 3, 1, 1, 1, 0: one place is left for three.
    estimate = labelled(np.tile([3, 1, 1, 1, 0], (5, 1)))
    assert hub_recall(estimate, [0, 1]) == pytest.approx((1 + 1 / 3) / 2)
    assert hub_recall(estimate, [0, 1, 2]) == pytest.approx((1 + 2 / 3 + 2 / 3) / 3)
    assert hub_recall(estimate, [4, 0]) == 0.5
    assert hub_recall(estimate, [1, 1]) == hub_recall(estimate, [1]) == 0
    rng = np.random.default_rng(4)
    jittered = [estimate + 1e-6 * rng.random((5, 5)) for _ in range(400)]
    broken = np.mean([hub_recall(x, [0, 3]) for x in jittered])
    assert broken == pytest.approx(hub_recall(estimate, [0, 3]), abs=0.06)


def test_out_strength_by_hand():
    strength = out_strength(labelled([[9, -1, 2], [4, 9, -3], [2, 1, 9]], ids=[3, 5, 8]))
    np.testing.assert_allclose(strength, [3, 0.5, 1])
    assert strength.dims == ("source",)
    assert list(strength["source"].values) == [3, 5, 8]


def test_says_what_is_wrong(planted):
    estimate = labelled(planted)
    with pytest.raises(DataError, match=r"got \('source', 'target'\) of shape \(8, 8\)"):
        connection_auroc(estimate.transpose("source", "target"), planted)
    with pytest.raises(DataError, match=r"dims \('target', 'source'\).*got None"):
        out_strength(planted)
    with pytest.raises(DataError, match=r"truth of shape \(8, 8\); got \(7, 7\)"):
        connection_auroc(estimate, planted[:7, :7])
    with pytest.raises(DataError, match="some not; 0 of 56 are"):
        connection_auroc(estimate, np.zeros((8, 8)))
    with pytest.raises(DataError, match="truth lacks 1 units"):
        connection_auroc(estimate, labelled(planted[:7, :7]))
    with pytest.raises(UnknownNameError, match="Unknown hub '9'"):
        hub_recall(estimate, [0, 9])
    with pytest.raises(DataError, match="There are no hubs"):
        hub_recall(estimate, [])
    estimate[0, 1] = np.nan
    with pytest.raises(DataError, match=r"1 of 64 estimates are missing.*fillna"):
        direction_accuracy(estimate, planted)

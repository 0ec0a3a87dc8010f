"""Units selected by a contrast: scipy's t, planted units found, chance where there are none."""

import numpy as np
import pytest
import scipy.stats
import xarray as xr

from neurokit.alignment import localize_units
from neurokit.errors import DataError


@pytest.fixture
def noise():
    rng = np.random.default_rng(1)
    return rng.standard_normal((30, 500)) * 3, rng.standard_normal((44, 500))


def test_t_and_p_are_welchs(noise):
    a, b = noise
    found = localize_units(a, b, n_splits=0)
    wanted = scipy.stats.ttest_ind(a, b, equal_var=False, alternative="greater")
    np.testing.assert_allclose(found.t, wanted.statistic, rtol=1e-10)
    np.testing.assert_allclose(found.p, wanted.pvalue, rtol=1e-8)
    np.testing.assert_allclose(found.q, scipy.stats.false_discovery_control(wanted.pvalue))
    assert "jaccard" not in found


def test_planted_units_are_found_and_stable(noise):
    a, b = noise
    a[:, 100:120] += 4
    top = localize_units(a, b, top=0.04, n_splits=20)
    fdr = localize_units(a, b, method="fdr", q=0.01, n_splits=20)
    assert np.flatnonzero(top.selected).tolist() == list(range(100, 120))
    assert fdr.selected[100:120].all()
    assert fdr.selected.sum() <= 22
    assert top.attrs["jaccard"] > 0.7 > 0.1 > top.attrs["jaccard_control"]


def test_nothing_is_stable_in_noise(noise):
    top = localize_units(*noise, top=0.1, n_splits=50)
    assert abs(top.attrs["jaccard"] - top.attrs["jaccard_control"]) < 0.05
    assert localize_units(*noise, method="fdr", n_splits=5).attrs["n_selected"] <= 2


def test_false_discoveries_keep_to_the_rate():
    rates = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        a, b = rng.standard_normal((2, 40, 400))
        a[:, :100] += 1
        found = localize_units(a, b, method="fdr", q=0.1, n_splits=0).selected.values
        rates.append(found[100:].sum() / max(found.sum(), 1))
    assert np.mean(rates) < 0.12


def test_the_control_is_other_units_of_the_same_number(noise):
    found = localize_units(*noise, top=0.1, n_splits=0, seed=3)
    assert found.selected.sum() == found.control.sum() == 50
    assert not (found.selected & found.control).any()
    other = localize_units(*noise, top=0.1, n_splits=0, seed=4)
    assert (other.control != found.control).any()
    assert localize_units(*noise, top=0.8, n_splits=0).control.sum() == 100


def test_labels_of_units_are_kept(noise):
    dims = ("sentence", "unit")
    layer = ("unit", np.repeat([3, 4], 250))
    a = xr.DataArray(noise[0], dims=dims, coords={"unit": np.arange(500) * 2, "layer": layer})
    b = xr.DataArray(noise[1], dims=dims, coords={"unit": np.arange(500) * 2})
    found = localize_units(a, b, n_splits=2)
    assert found.sel(unit=998).layer == 4
    with pytest.raises(DataError, match="other labels"):
        localize_units(a, b.assign_coords(unit=np.arange(500)))


def test_constant_units_are_not_chosen_for_rounding():
    a, b = np.full((5, 4), 0.1), np.full((7, 4), 0.1)
    a[:, 1] = 0.3
    a[:, 2] += np.arange(5)
    found = localize_units(a, b, n_splits=0)
    assert found.t.values[[0, 3]].tolist() == [0, 0]
    assert found.t[1] == np.inf
    assert found.p.values[[0, 1]].tolist() == [1, 0]
    assert np.flatnonzero(found.selected).tolist() == [1]


def test_scale_and_shift_change_nothing(noise):
    a, b = noise
    one = localize_units(a, b, n_splits=3)
    two = localize_units(a * 1e-6 + 5e-6, b * 1e-6 + 5e-6, n_splits=3)
    np.testing.assert_allclose(one.t, two.t, rtol=1e-6)
    np.testing.assert_array_equal(one.jaccard, two.jaccard)


@pytest.mark.parametrize(
    ("a", "b", "options", "message"),
    [
        (np.ones(3), np.ones((3, 1)), {}, r"a of shape \(samples, units\)"),
        (np.ones((9, 2)), np.ones((9, 3)), {}, "got 2 and 3"),
        (np.ones((3, 2)), np.ones((9, 2)), {}, "4 samples of each kind or more; got 3 in a"),
        (np.full((9, 2), np.nan), np.ones((9, 2)), {}, "2 of 2 units are missing"),
        (np.ones((9, 2)), np.ones((9, 2)), {"method": "best"}, "method is 'best'"),
        (np.ones((9, 2)), np.ones((9, 2)), {"top": 0}, "top .* is 0"),
        (np.ones((9, 2)), np.ones((9, 2)), {"top": 100}, "top .* is 100"),
        (np.ones((9, 2)), np.ones((9, 2)), {"n_splits": -1}, "n_splits"),
    ],
)
def test_bad_input_is_named(a, b, options, message):
    with pytest.raises(DataError, match=message):
        localize_units(a, b, **options)

import numpy as np
import pytest
import xarray as xr
from matplotlib.figure import Figure

from neurokit.errors import DataError
from neurokit.plotting import confusion, connectivity_matrix, topomap


def sensors(values, places):
    coords = {axis: ("channel", places[:, i]) for i, axis in enumerate("xyz")}
    return xr.DataArray(values, coords, ["channel"], name="P100", attrs={"units": "µV"})


@pytest.fixture
def scalp():
    rng = np.random.default_rng(0)
    places = rng.standard_normal((20, 3)) * [1, 1, 0.5] + [0, 0, 0.5]
    places *= 0.09 / np.linalg.norm(places, axis=1, keepdims=True)
    return sensors(places[:, 0] * 100, places)


def test_matrix_is_sorted_by_group_and_scaled_symmetrically():
    values = np.array([[1, 0.1, 0.8], [0.1, 1, -0.3], [0.8, -0.3, 1]])
    matrix = xr.DataArray(values, {"network": ("roi", ["b", "a", "b"])}, ["roi", "roi_"])
    ax = connectivity_matrix(matrix, Figure().add_subplot())
    order = [1, 0, 2]
    np.testing.assert_array_equal(ax.images[0].get_array(), values[np.ix_(order, order)])
    low, high = ax.images[0].get_clim()
    assert low == -high
    assert [t.get_text() for t in ax.get_yticklabels()] == ["a", "b"]
    assert ax.get_yticks().tolist() == [0, 1.5]


def test_matrix_without_groups_keeps_its_order():
    matrix = xr.DataArray(np.diag([1.0, 2.0]), dims=["roi", "roi_"])
    ax = connectivity_matrix(matrix)
    np.testing.assert_array_equal(ax.images[0].get_array(), np.diag([1.0, 2.0]))


def test_matrix_must_be_square():
    with pytest.raises(DataError, match=r"dims \('roi', 'roi_'\) and one length; got .* \(2, 3\)"):
        connectivity_matrix(xr.DataArray(np.zeros((2, 3)), dims=["roi", "roi_"]))


def test_confusion_rows_sum_to_a_hundred_and_empty_rows_stay_empty():
    table = xr.DataArray([[3, 1], [0, 0]], dims=["true", "predicted"])
    ax = confusion(table)
    assert [t.get_text() for t in ax.texts] == ["75", "25", "0", "0"]
    np.testing.assert_allclose(ax.images[0].get_array(), [[0.75, 0.25], [0, 0]])


def test_confusion_of_negative_counts():
    with pytest.raises(DataError, match="smallest value -1"):
        confusion(xr.DataArray([[-1, 1]], dims=["true", "predicted"]))


def test_map_has_the_sign_of_the_side(scalp):
    ax = topomap(scalp, Figure().add_subplot())
    image = np.ma.filled(ax.images[0].get_array(), np.nan)
    columns = image.shape[1] // 4
    assert np.nanmean(image[:, :columns]) < 0 < np.nanmean(image[:, -columns:])
    assert ax.images[0].get_clim()[1] == pytest.approx(float(abs(scalp).max()))


def test_map_leaves_out_sensors_without_place_or_value(scalp):
    broken = scalp.copy()
    broken[0] = np.nan
    broken["x"].values[1] = np.nan
    assert topomap(broken, limit=2.0).images[0].get_clim() == (-2.0, 2.0)


def test_map_without_positions(scalp):
    with pytest.raises(DataError, match=r"coordinates x, y, z in metres.*without x, y, z"):
        topomap(scalp.drop_vars(["x", "y", "z"]))
    with pytest.raises(DataError, match="at least 4 sensors .* got 3 of 3"):
        topomap(scalp[:3])

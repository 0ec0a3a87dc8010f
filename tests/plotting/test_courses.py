import numpy as np
import pytest
import xarray as xr

from neurokit.errors import DataError
from neurokit.plotting import butterfly, time_courses


def evoked():
    values = np.random.default_rng(0).normal(size=(5, 7))
    time = ("time", np.linspace(-0.1, 0.5, 7), {"units": "s"})
    return xr.DataArray(values, {"time": time}, ["channel", "time"], "difference", {"units": "µV"})


def test_time_courses_accept_any_order_of_dimensions():
    data = xr.DataArray(
        np.arange(6.0).reshape(2, 3), {"condition": ["a", "b"]}, ["condition", "time"]
    ).assign_coords(time=[0.0, 1.0, 2.0])
    for given in (data, data.transpose()):
        ax = time_courses(given, given - 1, given + 1)
        np.testing.assert_array_equal(ax.lines[1].get_ydata(), [3, 4, 5])
        assert len(ax.collections) == 2
    assert time_courses(data[0]).get_legend() is None


def test_time_courses_want_time():
    with pytest.raises(DataError, match=r"dims \('condition', 'time'\); got \('window',\)"):
        time_courses(xr.DataArray([1.0], dims=["window"]))


def test_levels_are_drawn_across_and_named():
    data = xr.DataArray([1.0, 2], {"time": [0.0, 1]}, ["time"], "contrast")
    ax = time_courses(data, levels={"chance": 0.0, "whole run": 1.5})
    assert [line.get_ydata()[0] for line in ax.lines[1:]] == [0.0, 1.5]
    names = [text.get_text() for text in ax.get_legend().get_texts()]
    assert names == ["contrast", "chance", "whole run"]


def test_butterfly_shows_every_channel_and_their_spread():
    data = evoked()
    for given in (data, data.transpose()):
        ax = butterfly(given)
        np.testing.assert_array_equal(ax.lines[2].get_ydata(), data[2])
        np.testing.assert_allclose(ax.lines[5].get_ydata(), data.std("channel"))
        assert ax.get_ylabel() == "difference (µV)"
        assert ax.get_xlim() == pytest.approx((-0.1, 0.5))


def test_butterfly_leaves_out_missing_values():
    data = evoked()
    data[1] = np.nan
    spread = butterfly(data).lines[5].get_ydata()
    np.testing.assert_allclose(spread, data.std("channel", skipna=True))


def test_butterfly_shades_its_window():
    patch = butterfly(evoked(), window=(0.1, 0.2)).patches[0]
    assert (patch.get_x(), patch.get_x() + patch.get_width()) == pytest.approx((0.1, 0.2))


def test_butterfly_wants_channels_and_time():
    with pytest.raises(DataError, match=r"dims \('channel', 'time'\); got \('time',\)"):
        butterfly(evoked()[0])

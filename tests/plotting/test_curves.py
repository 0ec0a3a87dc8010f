import numpy as np
import pytest
import xarray as xr

from neurokit.errors import DataError
from neurokit.plotting import predicted_vs_true, tuning_curves

ANGLE = np.arange(0, 360, 30.0)


def series(values, time=None):
    time = np.arange(len(values)) / 10 if time is None else time
    return xr.DataArray(
        np.asarray(values, float), {"time": time}, ["time"], name="force", attrs={"units": "N"}
    )


def curves(units=2):
    rates = np.linspace(1, 5, units) * (1 + np.cos(np.deg2rad(ANGLE))[:, None])
    coords = {"angle": ("angle", ANGLE, {"units": "°"}), "unit": [f"$u{i}" for i in range(units)]}
    return xr.DataArray(rates, coords, ["angle", "unit"], name="rate", attrs={"units": "Hz"})


def test_tuning_peaks_at_one_for_every_unit():
    ax = tuning_curves(curves())
    assert [line.get_ydata().max() for line in ax.lines] == [1.0, 1.0]
    assert ax.get_xlabel() == "angle (°)"
    assert ax.get_legend() is not None


def test_tuning_in_its_own_unit_and_many_units_without_legend():
    ax = tuning_curves(curves(9), normalize=False)
    assert ax.lines[-1].get_ydata().max() == 10.0
    assert ax.get_ylabel() == "rate (Hz)"
    assert ax.get_legend() is None


def test_silent_unit_is_drawn_flat():
    ax = tuning_curves(curves() * [0, 1])
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), 0)


def test_tuning_wants_two_dimensions():
    with pytest.raises(DataError, match=r"dims \('bin', 'unit'\); got \('time',\)"):
        tuning_curves(series([1, 2]))


def test_lines_break_at_gaps_in_time():
    time = np.array([0, 0.1, 0.2, 5.0, 5.1])
    ax = predicted_vs_true(series(range(5), time), series(range(5), time))
    for line in ax.lines:
        assert np.flatnonzero(np.isnan(line.get_ydata())).tolist() == [3]
    assert ax.get_ylabel() == "force (N)"


def test_lines_break_where_a_circle_closes():
    angle = series([340, 355, 5, 20])
    assert np.isnan(predicted_vs_true(angle, angle, period=360).lines[0].get_ydata()[2])
    assert not np.isnan(predicted_vs_true(angle, angle).lines[0].get_ydata()).any()


def test_prediction_of_another_length():
    with pytest.raises(DataError, match=r"one length; got .*\(3,\) and .*\(2,\)"):
        predicted_vs_true(series([1, 2, 3]), series([1, 2]))


def test_circles_are_shown_whole():
    assert tuning_curves(curves()).get_xlim() == (0, 360)
    angle = series([-90, 10, 80])
    ax = predicted_vs_true(angle, angle, period=360)
    assert ax.get_ylim() == (-180, 180)
    assert ax.get_yticks().tolist() == [-180, -90, 0, 90, 180]


def test_borders_between_blocks_are_ruled():
    ax = predicted_vs_true(series([1, 2, 3]), series([1, 2, 3]), borders=[0.1])
    assert list(ax.lines[-1].get_xdata()) == [0.1, 0.1]

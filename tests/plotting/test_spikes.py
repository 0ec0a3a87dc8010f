import numpy as np
import pytest
import xarray as xr

from neurokit.errors import DataError
from neurokit.plotting import spike_raster, wiring_matrix
from neurokit.recording import Recording


def recording():
    return Recording.from_spikes([0.1, 0.2, 0.2, 5.0, 15.0], [3, 8, 11, 3, 8], duration=20.0)


def ticks(ax):
    """Return (time, row) of every tick, by colour."""
    return [
        sorted((float(x[0, 0]), float(x[:, 1].mean())) for x in c.get_segments())
        for c in ax.collections
    ]


def test_a_tick_a_spike_in_the_row_of_its_unit():
    ax = spike_raster(recording())
    plain, marked = ticks(ax)
    assert plain == [(0.1, 0.0), (0.2, 1.0), (0.2, 2.0), (5.0, 0.0)]
    assert marked == []
    assert ax.get_xlim() == (0, 10)


def test_order_and_marks():
    ax = spike_raster(recording(), start=0.15, stop=16.0, order=[11, 3], marked=[11])
    plain, marked = ticks(ax)
    assert plain == [(5.0, 1.0)]
    assert marked == [(0.2, 0.0)]
    assert ax.get_ylim() == (1.5, -0.5)


def test_a_silent_population_can_be_drawn():
    ax = spike_raster(recording(), start=6.0, stop=7.0)
    assert ticks(ax) == [[], []]
    assert ax.get_ylim() == (2.5, -0.5)


def test_rasters_that_cannot_be():
    with pytest.raises(DataError, match="There is no unit 4; ids run from 3 to 11"):
        spike_raster(recording(), order=[3, 4])
    with pytest.raises(DataError, match="expected start < stop|Expected start < stop"):
        spike_raster(recording(), start=3.0, stop=3.0)
    other = Recording.from_array(np.ones((4, 1)), 1, stream="bold")
    with pytest.raises(DataError, match="no spikes to draw"):
        spike_raster(other)


def matrix(values):
    units = [3, 8, 11][: len(values)]
    return xr.DataArray(values, {"target": units, "source": units}, ["target", "source"])


def test_rows_are_targets_and_columns_sources():
    found = matrix(np.array([[np.nan, 1.0, 0.0], [0.0, np.nan, 0.0], [-2.0, 0.0, np.nan]]))
    mesh = wiring_matrix(found, order=[11, 8, 3]).collections[0]
    drawn = np.ma.filled(mesh.get_array(), np.nan).reshape(3, 3)
    assert drawn[0, 2] == -2.0
    assert drawn[2, 1] == 1.0
    assert np.isnan(np.diag(drawn)).all()
    assert mesh.norm.vmin == -mesh.norm.vmax
    assert wiring_matrix(found, colorbar=False).figure.axes[1:] == []


def test_matrices_that_cannot_be():
    with pytest.raises(DataError, match=r"dims \('target', 'source'\).*got \('a', 'b'\)"):
        wiring_matrix(xr.DataArray(np.eye(2), dims=("a", "b")))
    with pytest.raises(DataError, match="There is no unit 5"):
        wiring_matrix(matrix(np.zeros((2, 2))), order=[3, 5])
    assert wiring_matrix(matrix(np.zeros((2, 2)))).collections[0].norm.vmax == 1.0

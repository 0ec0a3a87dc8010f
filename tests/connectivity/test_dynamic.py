import tracemalloc

import numpy as np
import pytest
import xarray as xr

from neurokit.connectivity import dynamic_fc, static_fc
from neurokit.errors import DataError


@pytest.fixture
def series():
    rng = np.random.default_rng(0)
    mixing = rng.normal(size=(5, 12))
    return rng.normal(size=(120, 5)) @ mixing + rng.normal(size=(120, 12)) + 2000.0


@pytest.mark.parametrize(("window", "stride"), [(2, 1), (30, 1), (30, 7), (120, 5), (119, 1)])
def test_equals_numpy_window_by_window(series, window, stride):
    fc = dynamic_fc(series, window, stride)
    starts = range(0, len(series) - window + 1, stride)
    truth = np.stack([np.corrcoef(series[s : s + window].T) for s in starts])
    assert fc.shape == truth.shape
    assert fc.dtype == np.float32
    np.testing.assert_allclose(fc, truth, atol=2e-6)
    np.testing.assert_array_equal(fc["start"], list(starts))


def test_double_precision_is_exact(series):
    fc = dynamic_fc(series, 40, 10, dtype="float64")
    truth = np.corrcoef(series[10:50].T)
    np.testing.assert_allclose(fc[1], truth, atol=1e-12)


def test_chunks_do_not_change_the_result(series, monkeypatch):
    whole = dynamic_fc(series, 30, 1)
    monkeypatch.setattr("neurokit.connectivity.dynamic._CHUNK", 30 * 12 * 4)
    xr.testing.assert_identical(whole, dynamic_fc(series, 30, 1))


def test_equals_nilearn_with_the_empirical_covariance(series):
    from nilearn.connectome import ConnectivityMeasure
    from sklearn.covariance import EmpiricalCovariance

    measure = ConnectivityMeasure(
        cov_estimator=EmpiricalCovariance(), kind="correlation", standardize=False
    )
    windows = [series[s : s + 50] for s in range(0, 71, 10)]
    np.testing.assert_allclose(
        dynamic_fc(series, 50, 10), measure.fit_transform(windows), atol=2e-6
    )


def test_static_is_the_whole_run(series):
    fc = static_fc(series)
    assert fc.dims == ("roi", "roi_")
    np.testing.assert_allclose(fc, np.corrcoef(series.T), atol=2e-6)


def test_unit_and_offset_do_not_matter(series):
    np.testing.assert_allclose(
        dynamic_fc(series, 30, 10), dynamic_fc(1e-6 * series - 5, 30, 10), atol=2e-6
    )


def test_coordinates_follow(series):
    labelled = xr.DataArray(
        series,
        dims=("time", "roi"),
        coords={
            "time": 10.0 + 2.0 * np.arange(120),
            "roi": [f"r{i}" for i in range(12)],
            "network": ("roi", list("aabbccddeeff")),
        },
    )
    fc = dynamic_fc(labelled, 30, 10)
    assert fc.sel(roi="r3", roi_="r4").dims == ("window",)
    assert list(fc["network"].values) == list("aabbccddeeff")
    np.testing.assert_allclose(fc["time"][:2], [10 + 2 * 14.5, 10 + 2 * 24.5])


def test_recovers_a_change_of_coupling():
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(2, 400))
    b[200:] = 0.9 * a[200:] + np.sqrt(1 - 0.81) * b[200:]
    r = dynamic_fc(np.stack([a, b], 1), 100, 100)[:, 0, 1]
    assert abs(r[:2]).max() < 0.25
    assert r[2:].min() > 0.8


def test_flat_roi_warns_and_never_gives_nan(series):
    series[:, 3] = 7.1
    series[:40, 5] = series[0, 5]
    with pytest.warns(UserWarning, match="2 of 12 ROIs do not change within a window"):
        fc = dynamic_fc(series, 30, 10)
    assert np.isfinite(fc).all()
    assert (fc[:, 3, 3] == 1).all()
    assert (np.delete(fc[:, 3].values, 3, axis=1) == 0).all()
    assert (np.delete(fc[0, 5].values, 5) == 0).all()
    assert abs(fc[-1, 5, 0]) > 0


@pytest.mark.parametrize("size", [1e4, 1e9])
def test_a_huge_artefact_spoils_only_its_own_windows(series, size):
    series[3] *= size
    fc = dynamic_fc(series, 30, 30)
    np.testing.assert_allclose(fc[1], np.corrcoef(series[30:60].T), atol=2e-6)
    np.testing.assert_allclose(fc[3], np.corrcoef(series[90:].T), atol=2e-6)


def test_a_window_far_quieter_than_the_run_is_not_constant(series):
    series = series - series.mean(axis=0)
    series[:60] *= 1e-7
    np.testing.assert_allclose(dynamic_fc(series, 30, 30)[0], np.corrcoef(series[:30].T), atol=2e-6)


def test_needs_memory_for_the_result_and_one_chunk_only():
    series = np.random.default_rng(0).normal(size=(2000, 50))
    tracemalloc.start()
    fc = dynamic_fc(series, 400, 1)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # All windows at once would be 256 MB in double precision.
    assert peak < fc.nbytes + 110e6


@pytest.mark.parametrize(
    ("window", "stride", "dtype", "message"),
    [
        (30.0, 5, "float32", "whole frames; got 30.0 and 5. Divide seconds"),
        (30, 2.5, "float32", "whole frames; got 30 and 2.5"),
        (30, 5, "int32", "'float32' or 'float64'; got 'int32'"),
    ],
)
def test_refuses_seconds_and_integers(series, window, stride, dtype, message):
    with pytest.raises(DataError, match=message):
        dynamic_fc(series, window, stride, dtype=dtype)


@pytest.mark.parametrize(
    ("bad", "window", "stride", "message"),
    [
        (np.zeros(5), 2, 1, r"shape \(time, roi\); got shape \(5,\)"),
        (np.zeros((5, 0)), 2, 1, r"got shape \(5, 0\) of float64"),
        (np.zeros((5, 2)) + 1j, 2, 1, "of complex128"),
        (np.zeros((5, 2)), 6, 1, "at most 5 frames"),
        (np.zeros((5, 2)), 1, 1, "window >= 2"),
        (np.zeros((5, 2)), 2, 0, "stride >= 1"),
        (np.full((5, 2), np.nan), 2, 1, "2 of 2 ROIs have NaN"),
        (xr.DataArray(np.zeros((2, 5)), dims=("roi", "time")), 2, 1, "Try series.transpose"),
    ],
)
def test_bad_input(bad, window, stride, message):
    with pytest.raises(DataError, match=message):
        dynamic_fc(bad, window, stride)

"""Nuisance regression, against nilearn and on a real run."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from nilearn.signal import clean

from neurokit.datasets.fmri import read_timeseries_table
from neurokit.datasets.fmri_table import confounds_stream
from neurokit.errors import DataError
from neurokit.preprocessing.confounds import clean_confounds
from neurokit.recording import Recording

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "fmri" / "brainfc_rest01"
RNG = np.random.default_rng(0)
N = 120
NUISANCE = RNG.normal(size=(N, 4)).cumsum(axis=0)
X = (100 + RNG.normal(size=(N, 6)) + NUISANCE @ RNG.normal(size=(4, 6))).astype(np.float32)


@pytest.fixture
def rec():
    return Recording.from_array(X, 0.5, stream="bold")


def with_confounds(values, kept=None):
    rec = Recording.from_array(X, 0.5, stream="bold")
    stream = confounds_stream([f"c{i}" for i in range(values.shape[1])], values, 2.0)
    if kept is not None:
        stream = stream.assign_coords(kept=("time", kept))
    return rec.replace({**rec.streams, "confounds": stream})


@pytest.mark.parametrize("detrend", [True, False])
@pytest.mark.parametrize("standardize", [True, False])
@pytest.mark.parametrize("band", [(None, None), (0.01, 0.08), (0.01, None), (None, 0.1)])
def test_equal_to_nilearn(rec, detrend, standardize, band):
    high, low = band
    ours = clean_confounds(
        rec, NUISANCE, high_pass=high, low_pass=low, detrend=detrend, standardize=standardize
    )["bold"]
    expected = clean(
        X.astype(np.float64),
        confounds=NUISANCE,
        detrend=detrend,
        standardize="zscore_sample" if standardize else None,
        high_pass=high,
        low_pass=low,
        t_r=2.0,
        filter="butterworth" if high or low else False,
    )
    np.testing.assert_array_equal(ours.values, expected.astype(np.float32))
    assert ours.attrs["units"] == ("z" if standardize else "a.u.")


@pytest.mark.parametrize("kind", ["boolean", "index", "coordinate"])
def test_censoring_keeps_the_clock_and_equals_nilearn(kind):
    kept = np.ones(N, bool)
    kept[[0, 1, 30, 31, 77, N - 1]] = False
    index = np.flatnonzero(kept)
    rec = with_confounds(NUISANCE, kept if kind == "coordinate" else None)
    mask = {"boolean": kept, "index": index, "coordinate": None}[kind]
    bold = clean_confounds(rec, sample_mask=mask, high_pass=0.01, low_pass=0.1)["bold"]
    expected = clean(
        X.astype(np.float64),
        confounds=np.float32(NUISANCE).astype(np.float64),
        sample_mask=index,
        high_pass=0.01,
        low_pass=0.1,
        t_r=2.0,
        standardize=None,
    )
    np.testing.assert_array_equal(bold[bold["kept"].values].values, expected.astype(np.float32))
    assert bold.sizes["time"] == N - 3
    np.testing.assert_array_equal(bold["time"].values[[0, -1]], [4.0, 2.0 * (N - 2)])
    filled = bold.sel(time=[60.0, 62.0])
    assert not filled["kept"].any()
    around = bold.sel(time=[58.0, 64.0]).values
    np.testing.assert_allclose(filled.values.mean(axis=0), around.mean(axis=0), rtol=1e-5)


def masked():
    kept = np.ones(N, bool)
    kept[[0, 40]] = False
    return with_confounds(NUISANCE, kept)


@pytest.mark.parametrize("start", [0.0, 0.9, 30.0])
def test_the_mask_of_the_run_still_fits_after_cropping(start):
    rec = masked()
    rec = rec.replace({k: s.assign_coords(time=s["time"] + start) for k, s in rec.streams.items()})
    bold = clean_confounds(rec.crop(start + 20.0))["bold"]
    np.testing.assert_allclose(bold["time"].values[~bold["kept"].values], [start + 80.0])


def test_runs_joined_and_stored_are_cleaned_each_by_itself(tmp_path):
    late = NUISANCE.copy()
    late[0, 1] = np.nan
    kept = np.ones(N, bool)
    kept[[0, 40]] = False
    runs = [with_confounds(late, kept), with_confounds(NUISANCE[::-1])]
    joined = Recording.concat(runs)
    bold = clean_confounds(
        Recording.open(joined.save(tmp_path / "two.zarr")), high_pass=0.01, low_pass=0.1
    )["bold"]
    one, two = (clean_confounds(r, high_pass=0.01, low_pass=0.1)["bold"] for r in runs)
    np.testing.assert_array_equal(bold.values, np.concatenate([one, two]))
    assert bold["time"].values[~bold["kept"].values].tolist() == [80.0]


def test_tables_streams_and_choices_agree(rec):
    table = pd.DataFrame(np.float32(NUISANCE), columns=["c0", "c1", "c2", "c3"])
    by_table = clean_confounds(rec, table[["c1", "c3"]])["bold"].values
    by_stream = clean_confounds(with_confounds(NUISANCE), variables=["c1", "c3"])["bold"].values
    np.testing.assert_array_equal(by_table, by_stream)
    nothing = clean_confounds(rec, None, detrend=False)["bold"].values
    np.testing.assert_array_equal(nothing, X)


def test_blocks_of_voxels_change_nothing(rec, monkeypatch):
    whole = clean_confounds(rec, NUISANCE, high_pass=0.01)["bold"].values
    monkeypatch.setattr("neurokit.preprocessing.confounds._BLOCK_BYTES", 8 * N * 2)
    blocks = clean_confounds(rec, NUISANCE, high_pass=0.01)["bold"].values
    np.testing.assert_allclose(blocks, whole, rtol=1e-5, atol=1e-6)


def test_first_values_that_are_undefined_are_carried_back():
    values = NUISANCE.copy()
    values[0, 2] = np.nan
    out = clean_confounds(with_confounds(values))
    filled = values.copy()
    filled[0, 2] = values[1, 2]
    expected = clean_confounds(with_confounds(filled))
    np.testing.assert_array_equal(out["bold"], expected["bold"])
    assert "first value of c2 carried back" in out.meta["history"][-1]
    values[50, 1] = np.nan
    with pytest.raises(DataError, match="1 of 4 confounds hold NaN.*'c1' in volume 50"):
        clean_confounds(with_confounds(values))
    values[:, 1] = np.nan
    with pytest.raises(DataError, match="1 of 4 confounds hold NaN.*'c1' in volume 0"):
        clean_confounds(with_confounds(values))


def test_nuisance_goes_and_signal_stays():
    time = np.arange(N) * 2.0
    signal = np.sin(2 * np.pi * 0.05 * time)
    rec = Recording.from_array((signal + NUISANCE[:, 0])[:, None], 0.5, stream="bold")
    out = clean_confounds(rec, NUISANCE, high_pass=0.01, low_pass=0.1)["bold"].values[:, 0]
    assert np.corrcoef(out, signal)[0, 1] > 0.95
    assert abs(np.corrcoef(rec["bold"].values[:, 0], signal)[0, 1]) < 0.6


@pytest.mark.parametrize(
    ("confounds", "kwargs", "match"),
    [
        (NUISANCE[:50], {}, "confounds have 50 rows, bold has 120 volumes"),
        (NUISANCE[:, 0], {}, r"shape \(time, variable\)"),
        (NUISANCE, {"variables": ["csf"]}, r"The confounds have no \['csf'\]"),
        (NUISANCE, {"low_pass": 0.3}, r"0\.25 Hz, half of the sampling rate"),
        (NUISANCE, {"low_pass": 0.01, "high_pass": 0.1}, "pass band lies between"),
        (NUISANCE, {"sample_mask": np.ones(3, bool)}, r"shape \(3,\) for 120 volumes"),
        (NUISANCE, {"sample_mask": [1, 200]}, "names volumes 1 to 200"),
        (NUISANCE, {"sample_mask": [0.5]}, "booleans, one a volume, or as volume numbers"),
        (NUISANCE, {"sample_mask": [1, 2, 3]}, "3 volumes are left for 4 confounds"),
        (pd.DataFrame(), {}, "no confounds to remove"),
    ],
)
def test_requests_that_make_no_sense(rec, confounds, kwargs, match):
    with pytest.raises(DataError, match=match):
        clean_confounds(rec, confounds, **kwargs)


def test_spikes_are_no_series():
    rec = Recording.from_spikes([0.1], [0], duration=1.0)
    with pytest.raises(DataError, match="'spikes' is not continuous"):
        clean_confounds(rec, None, stream="spikes")


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared recordings are not here")
def test_network_structure_of_a_resting_run():
    recipe = json.loads((SHARED / "example.json").read_text())["extraction_config"]
    rec = read_timeseries_table(SHARED / "timeseries.tsv")
    bold = clean_confounds(
        rec.crop(recipe["discard"] * recipe["t_r"]),
        variables=recipe["confound_columns"],
        high_pass=recipe["high_pass"],
        low_pass=recipe["low_pass"],
    )["bold"]
    pairs = np.triu_indices(100, 1)
    connectivity = np.corrcoef(bold.values.T)[pairs]
    network = bold["network"].values
    within = (network[:, None] == network)[pairs]
    assert connectivity[within].mean() == pytest.approx(0.325, abs=1e-3)
    assert connectivity[~within].mean() == pytest.approx(0.075, abs=1e-3)

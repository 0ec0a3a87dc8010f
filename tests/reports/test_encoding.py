import numpy as np
import pytest
import xarray as xr

import neurokit as nk
from neurokit.errors import DataError
from neurokit.reports import report
from neurokit.reports.encoding import encoding_finding


def simulated(targets, seed=0, **given):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((200, 3))
    y = x @ rng.standard_normal((3, targets)) + rng.standard_normal((200, targets))
    named = xr.DataArray(y, {"target": [f"ROI <{i}>" for i in range(targets)]}, ["time", "target"])
    return nk.alignment.encode(x, named, n_permutations=99, n_bootstraps=100, seed=seed, **given)


def test_one_target_keeps_its_interval():
    result = simulated(1, ceiling=0.9)
    found = encoding_finding(result)
    assert found.value == pytest.approx(float(result["r"][0]))
    assert found.interval == (float(result["r_low"][0]), float(result["r_high"][0]))
    assert found.ceiling == 0.9
    assert found.judge().kind == "good"
    assert found.n_samples == 200


def test_many_targets_are_summed_up_by_the_median_without_an_interval():
    result = simulated(30)
    found = encoding_finding(result, "thirty")
    past = int((result["q"] < 0.05).sum())
    assert found.value == pytest.approx(float(result["r"].median()))
    assert found.interval is None
    assert found.ceiling is None
    assert found.outcome.text == f"q < .05 in {past} of 30 targets"
    assert f"{past} of 30 are above chance" in found.answer
    assert found.name == "thirty"
    assert list(found.figures) == ["Correlation over targets"]


def test_noise_is_left_open():
    rng = np.random.default_rng(1)
    x, y = rng.standard_normal((200, 3)), rng.standard_normal((200, 4))
    result = nk.alignment.encode(x, y, alphas=[10.0], n_permutations=99, n_bootstraps=0)
    assert encoding_finding(result).judge().kind == "open"


def test_code_repeats_the_call_that_made_the_result():
    result = simulated(2, delays=[0, 1], selection="loo")
    code = encoding_finding(result).code
    for part in ("delays=[0, 1]", "selection='loo'", "n_permutations=99", "seed=0"):
        assert part in code
    compile(code, "report", "exec")


def test_code_and_method_tell_bands_blocks_and_scales():
    result = simulated(2, bands={"a": [0, 1], "b": [2]}, block=10, standardize=False)
    found = encoding_finding(result)
    for part in ("bands=bands,  # columns of x by name: a, b", "n_weightings=20", "block=10"):
        assert part in found.code
    assert "standardize=False" in found.code
    assert "one penalty a target and band of features" in found.method
    compile(found.code, "report", "exec")


def test_a_negative_correlation_is_never_above_chance():
    result = simulated(2).assign(r=("target", [-0.3, 0.4]), q=("target", [0.01, 0.01]))
    assert "1 of 2 are above chance" in encoding_finding(result).answer


def test_result_saved_and_opened_again_renders(tmp_path):
    simulated(3).to_netcdf(tmp_path / "scores.nc", engine="h5netcdf")
    with xr.open_dataset(tmp_path / "scores.nc", engine="h5netcdf") as opened:
        page = report({"saved": opened, "again": simulated(30)}, tmp_path / "r.html")
    text = page.read_text("utf-8")
    assert "How well do the features predict 3 targets" in text
    assert "delays" not in text.split("<pre")[1].split("</pre>")[0]
    assert "Benjamini" in text


def test_missing_parts_are_left_out(tmp_path):
    bare = xr.Dataset({"r": ("target", [0.1, np.nan])})
    found = encoding_finding(bare)
    assert found.value == pytest.approx(0.1)
    assert found.judge().text == "Not tested against chance"
    nothing = xr.Dataset({"r": ("target", [np.nan])})
    assert report([bare, nothing], tmp_path / "r.html").exists()


def test_other_datasets_are_refused():
    with pytest.raises(DataError, match=r"variable 'r' of dims \('target',\).*got variables score"):
        encoding_finding(xr.Dataset({"score": ("target", [0.1])}))

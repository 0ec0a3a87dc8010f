"""A benchmark's score as a page: what it is read against, and where it leaks."""

import numpy as np
import pytest
import xarray as xr

from neurokit.alignment.benchmarks import benchmark
from neurokit.reports import report
from neurokit.reports.benchmark import benchmark_finding


@pytest.fixture(scope="module")
def score():
    rng = np.random.default_rng(0)
    layers = {0: rng.standard_normal((8, 3)), 1: np.eye(8), 2: rng.standard_normal((8, 5))}
    return benchmark("haxby-words").score(layers, name="three layers")


def test_the_finding_has_all_that_a_sceptic_asks(score):
    found = benchmark_finding(score)
    assert found.value == float(score.raw)
    assert found.interval == (float(score.low), float(score.high))
    assert found.baseline == ("nuisance", pytest.approx(0.146, abs=0.01))
    assert found.ceiling == float(score.ceiling)
    assert found.chance == 0
    assert "by design" in found.caveat
    assert found.seed == 0
    assert "run" in found.split
    assert score.attrs["configuration_hash"][:12] in found.method
    assert "nuisance + model (r)" in found.details
    assert "bench.score('three layers', seed=0)" in found.code
    assert found.judge().kind == "open"


def test_its_figures(score):
    titles = list(benchmark_finding(score).figures)
    assert titles[0] == "Score of each layer on held-out data"
    assert "Score over neuroids" in titles
    assert sum("measured" in title for title in titles) == 3


def test_few_regions_are_rows(score):
    regions = np.where(np.arange(score.sizes["unit"]) % 2, "V1", "IT")
    several = score.assign_coords(region=("unit", regions))
    assert "Score of each region" in benchmark_finding(several).figures


def test_a_leaky_split_is_a_failure(score):
    leaky = score.assign_attrs(leakage_flagged=1)
    assert benchmark_finding(leaky).judge().kind == "bad"
    assert "leaks" in benchmark_finding(leaky).judge().text


def test_the_page_stands_alone(score, tmp_path):
    page = report({"mine": score}, tmp_path / "r.html").read_text(encoding="utf-8")
    assert "Score of each layer on held-out data" in page
    assert "haxby-slice" in page
    assert 'src="http' not in page


def test_a_score_comes_back_from_disk(score, tmp_path):
    score.to_netcdf(tmp_path / "s.nc", engine="h5netcdf")
    again = xr.load_dataset(tmp_path / "s.nc", engine="h5netcdf")
    assert benchmark_finding(again).value == float(score.raw)
    assert list(benchmark_finding(again).figures) == list(benchmark_finding(score).figures)

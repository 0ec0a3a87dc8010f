from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from neurokit.alignment import leakage, leakage_report, splits
from neurokit.errors import DataError

STORIES = Path(__file__).resolve().parents[3] / "shared/data/alignment/naturalstories"


def slow(n=400, v=20, length=10, seed=0):
    """Noise smoothed over neighbours: nothing but autocorrelation."""
    noise = np.random.default_rng(seed).standard_normal((n + length - 1, v))
    return np.apply_along_axis(np.convolve, 0, noise, np.ones(length) / length, mode="valid")


def passages(n_passages=60, length=4, v=15, seed=0):
    """Short passages whose sentences share most of their response."""
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(n_passages), length)
    return rng.standard_normal((n_passages, v))[groups] + rng.standard_normal((240, v)), groups


def test_autocorrelation_alone_scores_on_shuffled_folds_and_not_on_contiguous_ones():
    y = slow()
    leaky = leakage_report(y, splits.shuffled(400, 5, allow_leakage=True))
    assert float(leaky.r.min()) > 0.9
    assert leaky.attrs["flagged"] == 1
    assert "no evidence of content" in leaky.attrs["verdict"]
    honest = leakage_report(y, 5, gap=10)
    assert abs(honest.attrs["content_free_r"]) < 0.1
    assert honest.attrs["flagged"] == 0
    assert "neighbours give nothing away" in honest.attrs["verdict"]


def test_passages_leak_when_their_sentences_are_dealt_out():
    y, groups = passages()
    leaky = leakage_report(y, splits.shuffled(240, 5, allow_leakage=True), groups)
    # The mean of three neighbours of equal signal and noise correlates at √(1/2 · 3/4).
    assert leaky.attrs["content_free_r"] == pytest.approx(0.6, abs=0.07)
    assert leaky.attrs["flagged"] == 1
    by_passage = leakage_report(y, 5, groups)
    np.testing.assert_array_equal(by_passage.r, 0)
    assert by_passage.attrs["flagged"] == 0


def test_independent_samples_may_be_shuffled():
    y = np.random.default_rng(1).standard_normal((300, 30))
    report = leakage_report(y, splits.shuffled(300, 5, allow_leakage=True))
    assert abs(report.attrs["content_free_r"]) < 0.05
    assert report.attrs["flagged"] == 0


def test_the_kernel_is_the_gram_matrix_of_smoothed_one_hot_codes():
    here = np.arange(60)
    wide = np.arange(-40, 100)
    codes = np.exp(-(np.subtract.outer(here, wide) ** 2) / (2 * 3.0**2))
    gram = codes @ codes.T
    np.testing.assert_allclose(leakage._kernel(here, here, [3.0]), gram / gram[0, 0], atol=1e-9)


def test_one_passage_is_plain_kernel_ridge_with_the_penalty_of_least_gcv_error():
    y = slow(120, 3)
    train, test = splits.shuffled(120, 4, allow_leakage=True)[0]
    report = leakage_report(y, [(train, test)], widths=[2.0])
    gram = leakage._kernel(train, train, [2.0])
    across = leakage._kernel(test, train, [2.0])
    centred = y[train] - y[train].mean(axis=0)
    hats = [gram @ np.linalg.inv(gram + a * np.eye(len(train))) for a in leakage.ALPHAS]
    gcv = [((centred - h @ centred) ** 2).sum(0) / (len(train) - 1 - h.trace()) ** 2 for h in hats]
    for k, best in enumerate(np.argmin(gcv, axis=0)):
        noise = leakage.ALPHAS[best] * np.eye(len(train))
        predicted = across @ np.linalg.solve(gram + noise, centred[:, k])
        expected = np.corrcoef(predicted, y[test, k])[0, 1]
        assert float(report.r[0, k]) == pytest.approx(expected, abs=1e-9)


def test_cutting_a_long_passage_changes_little(monkeypatch):
    y = slow(900, 5)
    folds = splits.shuffled(900, 5, allow_leakage=True)
    cut = leakage_report(y, folds)
    monkeypatch.setattr(leakage, "LONGEST", 900)
    np.testing.assert_allclose(cut.r, leakage_report(y, folds).r, atol=0.01)


def test_nuisance_features_are_scored_beside():
    rng = np.random.default_rng(2)
    frame = pd.DataFrame({"length": rng.integers(3, 20, 300), "same": np.ones(300)})
    y = (frame["length"] / 5).to_numpy()[:, None] + rng.standard_normal((300, 4))
    labelled = xr.DataArray(y, dims=("presentation", "neuroid"), coords={"neuroid": list("abcd")})
    report = leakage_report(labelled, 5, nuisance=frame)
    assert report.baseline.values.tolist() == ["content-free", "nuisance"]
    assert report.target.values.tolist() == list("abcd")
    assert report.r_fold.dims == ("baseline", "fold", "target")
    np.testing.assert_allclose(report.r_fold.mean("fold"), report.r)
    own = [np.corrcoef(frame["length"], y[:, k])[0, 1] for k in range(4)]
    np.testing.assert_allclose(report.r.sel(baseline="nuisance"), own, atol=0.05)
    assert f"score {report.attrs['nuisance_r']:.3f}: a model must add" in report.attrs["verdict"]
    bare = leakage_report(y, 5, nuisance=frame["length"])
    np.testing.assert_allclose(bare.r, report.r, atol=1e-6)


def test_stimuli_on_both_sides_of_a_fold_are_named():
    y = np.random.default_rng(3).standard_normal((40, 2))
    stimuli = [f"Sentence {k}." for k in range(40)]
    assert leakage_report(y, 4, stimuli=stimuli).attrs["duplicates"] == []
    stimuli[1] = stimuli[0]  # on one side in every fold
    stimuli[35] = " sentence  7."
    stimuli[20] = stimuli[15]
    report = leakage_report(y, 4, stimuli=stimuli)
    assert report.attrs["duplicates"] == ["Sentence 7.", "Sentence 15."]
    assert report.attrs["flagged"] == 1
    assert "2 stimuli are in both" in report.attrs["verdict"]
    assert "'Sentence 7.', 'Sentence 15.'" in report.attrs["verdict"]


def test_a_report_can_be_stored(tmp_path):
    report = leakage_report(slow(60, 2), 3, stimuli=np.arange(60) % 40)
    report.to_netcdf(tmp_path / "report.nc", engine="h5netcdf")
    stored = xr.load_dataset(tmp_path / "report.nc", engine="h5netcdf")
    xr.testing.assert_equal(stored, report)
    assert list(stored.attrs["duplicates"]) == report.attrs["duplicates"]


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"y": np.full((30, 2), np.nan)}, "60 of 60 values in y are missing"),
        ({"nuisance": np.zeros((29, 1))}, "as many samples in x as in y; got 29 and 30"),
        (
            {"nuisance": {"word": ["a"] * 30}},
            "numbers in every nuisance column; got others in word",
        ),
        ({"stimuli": ["a"] * 29}, "one stimulus for each of 30 samples; got 29"),
        ({"groups": ["a"] * 29}, r"groups of shape \(30,\)"),
        ({"groups": ["a"] * 30}, "at least 2 groups; got 1"),
        ({"cv": [([0, 1], [1])]}, "in both the training and the test set"),
        ({"cv": None}, "needs groups"),
        ({"cv": [([0, 1], [2])], "gap": 2}, "A gap belongs to contiguous folds"),
        ({"widths": []}, "one width of smoothing or more"),
        ({"widths": [0]}, "expected a number above 0"),
    ],
)
def test_says_what_does_not_fit(change, match):
    with pytest.raises(DataError, match=match):
        leakage_report(**{"y": np.ones((30, 2)), "cv": 3, **change})


@pytest.mark.skipif(not STORIES.is_dir(), reason="needs the shared Natural Stories")
@pytest.mark.parametrize("story", range(1, 11))
def test_reading_times_of_a_story(story):
    table = pd.read_csv(STORIES / "ns_words_rt_surprisal.csv")
    # As released: the column meanItemRT_realigned gives each word the time of the word before.
    table = table[table["item"] == story].dropna(subset=["meanItemRT"])
    y = table["meanItemRT"].to_numpy()
    nuisance = table[["nItem", "log2freq"]].assign(length=table["word"].str.len())
    leaky = leakage_report(y, splits.shuffled(len(y), 5, allow_leakage=True))
    assert leaky.attrs["content_free_r"] >= 0.6
    assert leaky.attrs["flagged"] == 1
    honest = leakage_report(y, 5, nuisance=nuisance)
    assert abs(honest.attrs["content_free_r"]) <= 0.1
    assert honest.attrs["flagged"] == 0

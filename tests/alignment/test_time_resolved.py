"""Time-resolved mapping: planted responses are found, in the bins where they are."""

import numpy as np
import pytest
import xarray as xr

from neurokit.alignment import time_resolved_mapping
from neurokit.errors import DataError

ALPHAS = np.geomspace(1e-2, 1e6, 9)


def planted(noise=1.0, repeats=6, trials=80, seed=0):
    """Responses are linear in the states until bin 5, and noise from there on."""
    rng = np.random.default_rng(seed)
    states = rng.standard_normal((trials, 8, 12))
    signal = states @ rng.standard_normal((12, 4)) / np.sqrt(12)
    signal[:, 5:] = 0
    return states, signal, signal + noise * rng.standard_normal((repeats, *signal.shape))


def test_planted_responses_are_recovered_where_they_are():
    states, _, responses = planted()
    result = time_resolved_mapping(states, responses, alphas=ALPHAS)
    assert float(result.r_corrected[:5].mean()) == pytest.approx(0.98, abs=0.04)
    assert float(result.r[:5].mean()) < 0.95
    assert abs(float(result.r[5:].mean())) < 0.1
    assert result.r_fold.sizes == {"fold": 5, "time": 8, "neuron": 4}


def test_the_ceiling_is_that_of_the_noise():
    states, _, responses = planted(noise=2.0, repeats=8, trials=400)
    result = time_resolved_mapping(states, responses, alphas=ALPHAS)
    variance = responses.mean(axis=0)[:, :5].var(axis=0).mean() - 4 / 8
    expected = np.sqrt(variance / (variance + 4 / 8))
    assert float(result.r_ceiling[:5].mean()) == pytest.approx(expected, abs=0.03)


def test_correction_gives_what_noise_free_responses_would():
    states, signal, responses = planted(noise=2.0, repeats=8, trials=200)
    model = states + np.random.default_rng(1).standard_normal(states.shape)
    noisy = time_resolved_mapping(model, responses, alphas=ALPHAS).r_corrected[:5].mean()
    clean = time_resolved_mapping(model[:, :5], signal[:, :5], alphas=ALPHAS)
    assert "r_corrected" not in clean
    assert float(noisy) == pytest.approx(float(clean.r.mean()), abs=0.05)


def test_a_course_common_to_all_trials_earns_nothing():
    rng = np.random.default_rng(0)
    course = 10 * np.sin(np.arange(8.0))[:, None]
    states = course + rng.standard_normal((100, 8, 3))
    responses = course + rng.standard_normal((100, 8, 2))
    result = time_resolved_mapping(states, responses, alphas=ALPHAS)
    assert abs(float(result.r.mean())) < 0.08


def test_other_trials_responses_are_not_predicted():
    states, _, responses = planted(noise=0.1)
    shuffled = np.random.default_rng(2).permutation(responses, axis=1)
    with pytest.warns(UserWarning, match="Penalty grid edge"):
        result = time_resolved_mapping(states, shuffled, alphas=ALPHAS)
    assert abs(float(result.r.mean())) < 0.1


def test_conditions_are_held_out_whole():
    """Identities of conditions predict repeats of a condition, but no new ones."""
    rng = np.random.default_rng(0)
    condition = np.repeat(np.arange(20), 6)
    states = np.eye(20)[condition][:, None].repeat(2, axis=1)
    responses = rng.standard_normal((20, 1, 3))[condition].repeat(2, axis=1)
    responses = responses + 0.1 * rng.standard_normal(responses.shape)
    loose = time_resolved_mapping(states, responses, alphas=[1e-3, 1e-2])
    assert float(loose.r.mean()) > 0.9
    held = time_resolved_mapping(states, responses, condition, alphas=[1e-3, 1e-2])
    assert abs(float(held.r.mean())) < 0.2
    assert held.attrs["split"] == "5 folds of whole conditions"


def test_coordinates_are_kept():
    states, signal, _ = planted()
    responses = xr.DataArray(
        signal,
        dims=("trial", "bin", "unit"),
        coords={"bin": np.arange(8) * 0.04, "area": ("unit", list("abcd"))},
    )
    result = time_resolved_mapping(states[:, :5], responses[:, :5], alphas=[1e-6, 1e-5])
    assert result.time.values.tolist() == pytest.approx([0, 0.04, 0.08, 0.12, 0.16])
    assert result.sel(neuron=0).area == "a"


def test_bad_input_is_named():
    states, _, responses = planted()
    with pytest.raises(DataError, match=r"got \(80, 8, 12\) and \(79, 8, 4\)"):
        time_resolved_mapping(states, responses[0, :79])
    with pytest.raises(DataError, match=r"Expected one group for each of 80 trials"):
        time_resolved_mapping(states, responses, groups=[1, 2])
    with pytest.raises(DataError, match="2 conditions are too few for 5 folds"):
        time_resolved_mapping(states, responses, groups=np.arange(80) % 2)
    with pytest.raises(DataError, match="needs 3 in every fold; 10 trials in 5 folds leave 2"):
        time_resolved_mapping(states[:10], responses[:, :10])
    responses[0, 3, 2, 1] = np.nan
    with pytest.raises(DataError, match="1 of 15360 values in responses are missing"):
        time_resolved_mapping(states, responses)

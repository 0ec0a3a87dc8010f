import numpy as np
import pytest
import xarray as xr
from nilearn.signal import clean as regress

from neurokit.demo import resting_network
from neurokit.demo.places import networks
from neurokit.errors import DataError


def simulated(seed=0, coupling=0.6):
    """Four networks of ten ROIs, each with its own slow signal, scattered over two hemispheres."""
    rng = np.random.default_rng(seed)
    network = np.repeat(list("abcd"), 10)
    slow = rng.normal(size=(400, 4)).cumsum(axis=0)
    slow = (slow - slow.mean(axis=0)) / slow.std(axis=0)
    x = rng.normal(size=(400, 40)) + coupling * slow[:, np.repeat(np.arange(4), 10)]
    places = rng.normal(size=(40, 3))
    places[:, 0] = np.abs(places[:, 0]) * np.tile([-1, 1], 20)
    return np.corrcoef(x.T), network, places


def test_numbers_of_the_embedded_run(answer):
    got = answer("resting_network").details
    assert got["inside networks (r)"] == pytest.approx(0.325, abs=0.005)
    assert got["across networks (r)"] == pytest.approx(0.075, abs=0.005)
    assert got["across networks before cleaning (r)"] > 0.5
    assert got["windows"] == 24
    assert got["lowest contrast of a window (r)"] > 0


def test_contrast_by_hand():
    fc, network, _ = simulated()
    pairs = [(i, j) for i in range(40) for j in range(i)]
    inside = [fc[p] for p in pairs if network[p[0]] == network[p[1]]]
    across = [fc[p] for p in pairs if network[p[0]] != network[p[1]]]
    np.testing.assert_allclose(
        resting_network.network_contrast(fc, network), (np.mean(inside), np.mean(across))
    )


def test_cleaning_equals_nilearn(recording):
    rec = recording("resting_network")
    ours = resting_network.clean(rec)["bold"]
    keep = rec["confounds"]["variable"].values != "framewise_displacement"
    theirs = regress(
        rec["bold"].values[5:].astype(float),
        confounds=rec["confounds"].values[5:, keep].astype(float),
        t_r=2.0,
        high_pass=0.01,
        low_pass=0.08,
        standardize="zscore_sample",
    )
    np.testing.assert_allclose(ours, theirs, atol=1e-5)
    np.testing.assert_array_equal(ours["time"], rec["bold"]["time"][5:])


def test_nulls_centre_on_zero_when_networks_are_scattered(monkeypatch):
    monkeypatch.setattr(resting_network, "N_NULL", 200)
    fc, network, places = simulated()
    contrast = np.subtract(*resting_network.network_contrast(fc, network))
    for scores in resting_network._nulls(fc, network, places, 0).values():
        assert abs(scores.mean()) < 0.05
        assert contrast > scores.max()


def test_networks_come_from_schaefer_names_when_there_is_no_coordinate(recording):
    bold = recording("resting_network")["bold"]
    np.testing.assert_array_equal(networks(bold.drop_vars("network")), bold["network"])


def test_bad_input(recording):
    rec = recording("resting_network")
    bold = rec["bold"]
    for broken, message in [
        (bold.drop_vars("x"), r"missing: \['x'\]"),
        (
            bold.drop_vars("network").assign_coords(roi=np.arange(100).astype(str)),
            "coordinate 'network' or names of the Schaefer",
        ),
    ]:
        with pytest.raises(DataError, match=message):
            resting_network.run(rec.replace({**rec.streams, "bold": broken}))


def test_band_catches_a_run_that_was_not_cleaned(recording):
    rec = recording("resting_network")
    silent = xr.zeros_like(rec["confounds"])
    silent[:, 0] = np.arange(150)
    assert not resting_network.run(rec.replace({**rec.streams, "confounds": silent})).in_band

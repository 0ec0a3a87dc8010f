"""z-scores and where their statistics come from."""

import numpy as np
import pandas as pd
import pytest
from sklearn.preprocessing import StandardScaler

from neurokit.errors import DataError
from neurokit.preprocessing.standardization import standardize
from neurokit.recording import Recording

X = np.random.default_rng(0).normal(5, [1, 20, 0.01], size=(60, 3)).astype(np.float32)


def recording(values=X, **kwargs):
    return Recording.from_array(values, 2.0, ["a", "b", "c"], stream="bold", **kwargs)


def scaled(train, everything):
    return StandardScaler().fit(train.astype(np.float64)).transform(everything)


def test_whole_recording_is_scikit_learns():
    out = standardize(recording())
    np.testing.assert_allclose(out["bold"].values, scaled(X, X), atol=1e-4)
    assert out["bold"].attrs["units"] == "z"
    assert out.meta["history"] == ["standardize(bold, statistics of the recording)"]


def test_statistics_of_training_seconds_only():
    rec = recording()
    out = standardize(rec, fit_on=slice(0, 9.5))["bold"].values
    np.testing.assert_allclose(out, scaled(X[:20], X), atol=1e-3)
    changed = X.copy()
    changed[20:] *= 3
    again = standardize(recording(changed), fit_on=slice(0, 9.5))["bold"].values
    np.testing.assert_array_equal(again[:20], out[:20])


def test_statistics_of_another_recording():
    train, test = recording(X[:40]), recording(X[40:])
    out = standardize(test, fit_on=train)["bold"].values
    np.testing.assert_allclose(out, scaled(X[:40], X[40:]), atol=1e-3)


@pytest.mark.parametrize("how", ["boundary", "run"])
def test_each_run_by_itself(how):
    if how == "boundary":
        rec = Recording.concat([recording(X[:25]), recording(X[25:])])
    else:
        events = pd.DataFrame(
            {"onset": [0.0, 5.0, 12.5, 20.0], "duration": 1.0, "run": [1, 1, 2, 2]}
        )
        rec = recording(events=events)
    out = standardize(rec)["bold"].values
    expected = np.concatenate([scaled(X[:25], X[:25]), scaled(X[25:], X[25:])])
    np.testing.assert_allclose(out, expected, atol=1e-3)
    together = standardize(rec, per="recording")["bold"].values
    np.testing.assert_allclose(together, scaled(X, X), atol=1e-4)


def test_constant_features_become_zero_with_a_warning():
    values = X.copy()
    values[:, 1] = 1234.567
    with pytest.warns(UserWarning, match="1 features are constant and become 0: 'b'"):
        out = standardize(recording(values))["bold"].values
    assert (out[:, 1] == 0).all()
    values[40:, 1] += 1
    with pytest.warns(UserWarning, match="'b'"):
        out = standardize(recording(values), fit_on=slice(0, 10))["bold"].values
    assert (out[:, 1] == 0).all()


def test_bad_channels_keep_their_gaps():
    values = X.copy()
    values[3, 0] = np.nan
    out = standardize(recording(values, bads=["a"]))["bold"].values
    assert np.isnan(out[3, 0])
    assert np.isnan(out).sum() == 1
    assert np.nanstd(out[:, 0].astype(np.float64)) == pytest.approx(1, abs=1e-5)


def test_which_stream():
    both = recording()
    both = both.replace({**both.streams, "eeg": _eeg()})
    with pytest.raises(DataError, match=r"Which stream\? There are \['bold', 'eeg'\]"):
        standardize(both)
    assert standardize(both, "eeg")["bold"].identical(both["bold"])


def _eeg():
    return Recording.from_array(1e-5 * X, 2.0, ["a", "b", "c"])["eeg"]


def test_requests_that_make_no_sense():
    rec = recording()
    with pytest.raises(DataError, match="per is 'subject'.*expected one of"):
        standardize(rec, per="subject")
    with pytest.raises(DataError, match="nothing lies in 50 to 60 s"):
        standardize(rec, fit_on=slice(50, 60))
    other = Recording.from_array(X[:, :2], 2.0, ["a", "b"], stream="bold")
    with pytest.raises(DataError, match="roi names differ"):
        standardize(rec, fit_on=other)

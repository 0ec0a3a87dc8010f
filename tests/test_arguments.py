"""Wrong arguments: each public function answers with one error of ours, whatever it is given."""

import numpy as np
import pytest

import neurokit as nk
from neurokit.errors import DataError, NeurokitError, UnknownNameError
from neurokit.recording import Recording

X = (1e-5 * np.random.default_rng(0).normal(size=(500, 3))).astype(np.float32)
EEG = Recording.from_array(X, 100, list("abc"))
SPIKES = Recording.from_spikes([0.1, 0.2, 0.3, 0.9], [3, 8, 3, 5], duration=1.0)
WRONG = ["zz", None, -1, [1, 2], float("nan"), -1e300, {}, np.array([1.0, 2.0])]

CALLS = {
    "rate": lambda v: Recording.from_array(X, v),
    "x": lambda v: Recording.from_array(v, 100),
    "times": lambda v: Recording.from_spikes(v, [1]),
    "streams": lambda v: Recording(v),
    "concat": Recording.concat,
    "part": lambda v: Recording.concat([v]),
    "from_mne": Recording.from_mne,
    "from_nifti": lambda v: Recording.from_nifti(v, 2.0),
    "from_nwb": Recording.from_nwb,
    "key": lambda v: EEG[v],
    "channel": lambda v: EEG.sel(channel=v),
    "unit": lambda v: SPIKES.sel(unit=v),
    "filter": lambda v: nk.preprocessing.filter(v, 1),
    "method": lambda v: nk.preprocessing.filter(EEG, 1, 30, method=v),
    "resample": lambda v: nk.preprocessing.resample(EEG, v),
    "kind": lambda v: nk.preprocessing.rereference(EEG, v),
    "per": lambda v: nk.preprocessing.standardize(EEG, per=v),
    "bin_size": lambda v: nk.preprocessing.bin_spikes(SPIKES, v),
    "stop": lambda v: nk.preprocessing.epoch(EEG, None, 0, v),
    "recs": lambda v: nk.windows.sliding(v, stream="eeg", length=1),
    "stream": lambda v: nk.windows.sliding(EEG, stream=v, length=1),
    "length": lambda v: nk.windows.sliding(EEG, stream="eeg", length=v),
    "n_splits": lambda v: list(nk.windows.split_contiguous(_win(), v)),
    "take": lambda v: _win().take(np.asarray(v) + 0.5 if np.ndim(v) else v),
    "read": nk.datasets.read,
    "read_bids": lambda v: nk.datasets.read_bids(v, "eeg"),
    "load": nk.datasets.load,
    "fetch": nk.datasets.fetch,
}


def _win():
    return nk.windows.sliding(EEG, stream="eeg", length=1)


@pytest.mark.parametrize("call", sorted(CALLS))
@pytest.mark.parametrize("value", WRONG, ids=[type(v).__name__ for v in WRONG])
def test_one_clear_error(call, value):
    with pytest.raises(NeurokitError, match=r"\w{3}"):
        CALLS[call](value)


def test_the_message_says_what_was_got():
    with pytest.raises(DataError, match=r"sampling_rate \(Hz\) is '250' \(str\), expected"):
        Recording.from_array(X, "250")
    with pytest.raises(DataError, match=r"names of eeg is 'abc' \(str\), expected a list of names"):
        Recording.from_array(X, 100, "abc")
    with pytest.raises(DataError, match=r"gap = -1 s is negative"):
        list(nk.windows.split_contiguous(_win(), 2, gap=-1))
    with pytest.raises(DataError, match="expected a whole number, 1 or more"):
        nk.preprocessing.notch(EEG, 20.0, harmonics=1e300)


def test_selection_keeps_the_order_and_loses_no_label():
    both = nk.preprocessing.bin_spikes(SPIKES, 0.1).sel(unit=[8, 3])
    assert both["spikes"]["id"].values.tolist() == both["counts"]["unit"].values.tolist() == [8, 3]
    assert both["spikes"]["time"].values.tolist() == [0.1, 0.2, 0.3]
    assert both["spikes"]["unit"].values.tolist() == [1, 0, 1]
    with pytest.raises(UnknownNameError, match="Unknown unit of spikes '99'"):
        SPIKES.sel(unit=[3, 99])
    assert SPIKES.sel(unit=slice(3, 6))["spikes"]["id"].values.tolist() == [3, 5]
    typed = Recording({"eeg": EEG["eeg"].assign_coords(region=("channel", ["V1", "V2", "V1"]))})
    with pytest.raises(UnknownNameError, match="Unknown region 'V9'"):
        typed.sel(region=["V1", "V9"])
    with pytest.raises(DataError, match="the labels repeat"):
        typed.sel(region=slice("V1", "V2"))


@pytest.mark.parametrize("units", ["uV", "µV", "uv", "microvolts"])
def test_voltages_in_streams_become_volts(units):
    data = (EEG["eeg"] * 1e6).assign_attrs(EEG["eeg"].attrs | {"units": units})
    rec = Recording({"eeg": data})
    assert rec["eeg"].attrs["units"] == "V"
    np.testing.assert_allclose(rec["eeg"].values, X, rtol=1e-6)
    np.testing.assert_allclose(rec.to_mne().get_data().T, X, rtol=1e-6)

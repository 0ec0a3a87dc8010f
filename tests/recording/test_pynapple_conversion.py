import numpy as np
import pandas as pd
import pytest
import xarray as xr

from neurokit.errors import DataError
from neurokit.recording import Recording
from neurokit.recording.pynapple_conversion import from_pynapple, to_pynapple

nap = pytest.importorskip("pynapple")


def _recording(rng):
    table = pd.DataFrame({"id": [9, 2, 5], "region": ["adn", "ca1", ""], "depth": [1.0, 2.0, 3.0]})
    pose = xr.DataArray(
        rng.normal(size=(30, 2)).astype(np.float32),
        dims=("time", "variable"),
        coords={
            "time": 1 + np.arange(30) / 16,
            "variable": ["x", "y"],
            "side": ("variable", ["l", "r"]),
        },
        attrs={"sampling_rate": 16.0, "units": "a.u."},
    )
    return Recording.from_spikes(
        rng.uniform(1, 3, 100).round(6),
        rng.choice([9, 2], 100),
        duration=3.0,
        start=0.5,
        unit_table=table,
        trials=pd.DataFrame(
            {
                "onset": [1.0, 2.0, 2.5],
                "duration": [0.5, 0.25, 0.0],
                "trial_type": ["go", "stop", "click"],
                "side": ["l", None, "r"],
            }
        ),
        streams={"behaviour": pose},
    )


def test_there_and_back():
    rec = _recording(np.random.default_rng(0))
    back = from_pynapple(**to_pynapple(rec))
    assert back["behaviour"].identical(rec["behaviour"])
    spikes, expected = back["spikes"], rec["spikes"]
    np.testing.assert_allclose(spikes["time"], expected["time"], atol=1e-9)
    # The group orders its members by id.
    assert spikes["id"].values.tolist() == [2, 5, 9]
    np.testing.assert_array_equal(
        spikes["id"].values[spikes["unit"].values], expected["id"].values[expected["unit"].values]
    )
    assert spikes["region"].values.tolist() == ["ca1", "", "adn"]
    assert (spikes.attrs["start"], spikes.attrs["stop"]) == (0.5, 3.5)
    assert back.events["trial_type"].tolist() == ["go", "stop", "click"]
    np.testing.assert_allclose(back.events["duration"], [0.5, 0.25, 0.0], atol=1e-9)


def test_the_methods_of_the_recording_do_the_same():
    rec = _recording(np.random.default_rng(1))
    assert Recording.from_pynapple(**rec.to_pynapple())["behaviour"].identical(rec["behaviour"])


def test_pynapple_s_own_numbers_agree():
    rng = np.random.default_rng(2)
    rec = _recording(rng)
    out = to_pynapple(rec)
    counts = np.bincount(rec["spikes"]["unit"].values, minlength=3)
    rates = dict(zip([9, 2, 5], counts / 3.0, strict=True))
    np.testing.assert_allclose(out["spikes"].rates, [rates[i] for i in (2, 5, 9)])
    assert out["spikes"].get_info("region").tolist() == ["ca1", "", "adn"]
    kept = out["behaviour"].restrict(out["events"])
    assert len(kept) == 9 + 5
    assert out["events"].get_info("trial_type").tolist() == ["go", "stop"]
    assert out["events_click"].index.tolist() == [2.5]


def test_pynapple_objects_become_streams():
    position = nap.Tsd(t=np.arange(10) / 10, d=np.arange(10.0))
    movie = nap.TsdTensor(t=np.arange(8.0), d=np.zeros((8, 3, 2)))
    epochs = nap.IntervalSet([0, 5], [4, 9], metadata={"place": ["home", "maze"]})
    rec = from_pynapple(behaviour=position, stimulus=movie, sleep=epochs, licks=nap.Ts([1.0, 2.0]))
    assert rec["behaviour"].attrs["sampling_rate"] == pytest.approx(10)
    assert rec["stimulus"].dims == ("time", "row", "column")
    assert rec.events["trial_type"].tolist() == ["sleep", "licks", "licks", "sleep"]
    sleep = rec.events[rec.events["trial_type"] == "sleep"]
    assert sleep["place"].tolist() == ["home", "maze"]
    assert sleep["duration"].tolist() == [4.0, 4.0]


def test_touching_events_stay_apart():
    rec = Recording.from_spikes([0.5], [0], duration=2.0, trials=[[0.0, 1.0], [1.0, 2.0]])
    assert len(to_pynapple(rec)["events"]) == 2


def test_overlapping_events_are_split_by_type():
    events = pd.DataFrame(
        {"onset": [0.0, 0.5], "duration": [1.0, 1.0], "trial_type": ["run", "light"]}
    )
    rec = Recording.from_spikes([0.5], [0], duration=2.0, trials=events)
    out = to_pynapple(rec)
    assert out["events_run"].values.tolist() == [[0.0, 1.0]]
    assert out["events_light"].values.tolist() == [[0.5, 1.5]]
    same = rec.replace(events=events.assign(trial_type="run"))
    with pytest.warns(UserWarning, match="Events of type 'run' overlap"):
        assert to_pynapple(same)["events_run"].values.tolist() == [[0.0, 1.5]]


def test_what_is_not_pynapple_is_named():
    with pytest.raises(DataError, match="'x' is a list, expected a TsGroup"):
        from_pynapple(x=[1])
    group = nap.TsGroup({0: nap.Ts(np.array([0.5, 0.6]))})
    with pytest.raises(DataError, match="'b' is a second TsGroup"):
        from_pynapple(a=group, b=group)

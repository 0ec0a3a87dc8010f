import sys

import numpy as np
import pytest

from neurokit.datasets.neo_formats import SYSTEMS, from_neo, read_neo, sniff
from neurokit.errors import MissingExtraError, ReadError, UnknownNameError

neo = pytest.importorskip("neo")
pq = pytest.importorskip("quantities")


def _segment(rng, start=0.0):
    segment = neo.Segment()
    voltage = rng.normal(size=(100, 2)) * 50
    signal = neo.AnalogSignal(
        voltage, "uV", sampling_rate=1 * pq.kHz, t_start=start * pq.s, name="amplifier"
    )
    signal.array_annotate(channel_names=["a", "b"])
    slow = neo.AnalogSignal(voltage[::10] / 100, "mV", sampling_rate=100 * pq.Hz, name="slow")
    speed = neo.AnalogSignal(np.ones((50, 1)), "cm/s", sampling_rate=500 * pq.Hz, name="speed")
    segment.analogsignals += [signal, slow, speed]
    for i in range(3):
        times = np.sort(rng.uniform(0, 100, 5 * i))
        segment.spiketrains.append(neo.SpikeTrain(times, units="ms", t_stop=100.0, name=f"ch{i}"))
    segment.events.append(
        neo.Event([10, 20] * pq.ms, labels=np.array(["on", "off"]), name="digital")
    )
    segment.epochs.append(
        neo.Epoch([0.03] * pq.s, durations=[5] * pq.ms, labels=np.array(["light"]), name="ttl")
    )
    return segment, voltage


def _block(n=1):
    rng = np.random.default_rng(0)
    block, made = neo.Block(), [_segment(rng) for _ in range(n)]
    block.segments += [s for s, _ in made]
    return block, made


def test_a_block_becomes_a_recording():
    block, [(segment, voltage)] = _block()
    rec = from_neo(block)
    np.testing.assert_allclose(rec["lfp"].values, voltage * 1e-6, rtol=1e-6)
    assert rec["lfp"].attrs == {"sampling_rate": 1000.0, "units": "V"}
    assert rec["lfp"]["channel"].values.tolist() == ["a", "b"]
    assert rec["slow"].attrs == {"sampling_rate": 100.0, "units": "V"}
    assert rec["behaviour"].attrs["units"] == "cm/s"
    spikes = rec["spikes"]
    assert spikes["name"].values.tolist() == ["ch0", "ch1", "ch2"]
    for i, train in enumerate(segment.spiketrains):
        got = spikes["time"].values[spikes["unit"].values == i]
        np.testing.assert_allclose(got, train.rescale("s").magnitude)
    assert rec.events["trial_type"].tolist() == ["on", "off", "light"]
    assert rec.events["channel"].tolist() == ["digital", "digital", "ttl"]
    np.testing.assert_allclose(rec.events["duration"], [0, 0, 0.005])


def test_segments_are_joined_or_picked():
    block, _ = _block(2)
    rec = from_neo(block)
    assert rec["lfp"].sizes["time"] == 200
    assert rec.events["trial_type"].tolist().count("boundary") == 1
    assert from_neo(block, segment=1, stream="ieeg")["ieeg"].sizes["time"] == 100
    with pytest.raises(ReadError, match="There are segments 0 to 1; got 2"):
        from_neo(block, segment=2)


def test_an_empty_block_is_refused():
    with pytest.raises(ReadError, match="neither signals nor spike trains"):
        from_neo(neo.Block())


def test_reading_through_a_format_of_neo(tmp_path):
    rng = np.random.default_rng(1)
    values = 1e-3 * rng.normal(size=(20, 2))
    path = tmp_path / "signal.txt"
    np.savetxt(path, values, delimiter="\t")
    rec = read_neo(path, system="ascii")
    assert rec.meta["system"] == "ascii"
    # neo makes one signal of each column.
    columns = [stream.values[:, 0] for stream in rec.streams.values()]
    np.testing.assert_allclose(np.stack(columns, axis=1), values, rtol=1e-6)


def test_damaged_files_and_unknown_systems_are_named(tmp_path):
    path = tmp_path / "a.plx"
    path.write_bytes(b"PLEX" + bytes(50))
    assert sniff(path) == "neo"
    with pytest.raises(ReadError, match=r"a\.plx: cannot be read as plexon"):
        read_neo(path)
    with pytest.raises(UnknownNameError, match="Did you mean 'plexon'"):
        read_neo(path, system="plexonn")
    with pytest.raises(ReadError, match="There is no file"):
        read_neo(tmp_path / "none.plx")
    (tmp_path / "b.xyz").write_text("?")
    with pytest.raises(ReadError, match="of which system is unclear"):
        read_neo(tmp_path / "b.xyz")


def test_every_system_exists_in_neo_and_none_is_a_pickle():
    for name in SYSTEMS.values():
        assert hasattr(neo.io, name)
        assert "Pickle" not in name


@pytest.mark.parametrize(
    ("name", "head"),
    [("a.abf", b"ABF2"), ("a.ns5", b"BRSMPGRP"), ("a.ncs", b"######## Neuralynx Data")],
)
def test_sniffing_goes_by_the_first_bytes(tmp_path, name, head):
    path = tmp_path / name
    path.write_bytes(head + bytes(40))
    assert sniff(path) == "neo"
    path.write_bytes(b"something else" + bytes(40))
    assert sniff(path) is None


def test_folders_are_known_by_what_lies_in_them(tmp_path):
    assert sniff(tmp_path) is None
    (tmp_path / "block.tsq").write_bytes(b"")
    assert sniff(tmp_path) == "neo"


def test_without_neo_the_error_says_how_to_get_it(tmp_path, monkeypatch):
    path = tmp_path / "a.plx"
    path.write_bytes(b"PLEX" + bytes(50))
    for name in [n for n in sys.modules if n.partition(".")[0] == "neo"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "neo", None)
    with pytest.raises(
        MissingExtraError, match=r"This needs neo, which is not installed.*neurokit-brain\[nwb\]"
    ):
        read_neo(path)

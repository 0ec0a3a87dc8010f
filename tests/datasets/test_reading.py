"""One way in: by content, and one error when it cannot be."""

import numpy as np
import pytest

from neurokit.datasets import reading
from neurokit.errors import ReadError, UnknownNameError
from neurokit.recording import Recording


def test_every_format_has_its_reader():
    for name in reading.FORMATS:
        assert callable(reading._reader(name))


def test_saved_recordings_are_recognised_whatever_their_name(tmp_path):
    rec = Recording.from_spikes([0.5], [0], 1.0)
    assert reading.read(rec.save(tmp_path / "no_ending")).identical(rec)


def test_content_counts_not_the_ending(tmp_path):
    np.savez(tmp_path / "x.npz", times=[0.5], units=[0])
    (tmp_path / "x.npz").rename(tmp_path / "x.edf")
    assert reading.sniff(tmp_path / "x.edf") == "npz"


def test_missing_files_suggest_the_nearest(tmp_path):
    (tmp_path / "session_01.nwb").touch()
    with pytest.raises(ReadError, match="Did you mean 'session_01.nwb'"):
        reading.read(tmp_path / "sesion_01.nwb")
    with pytest.raises(ReadError, match="does not exist either"):
        reading.read(tmp_path / "nowhere" / "x.nwb")


def test_unknown_content_lists_what_is_known(tmp_path):
    (tmp_path / "x.bin").write_bytes(bytes(range(256)))
    with pytest.raises(ReadError, match="the content is of no known format. Known: edf, bdf"):
        reading.read(tmp_path / "x.bin")


def test_empty_file(tmp_path):
    (tmp_path / "x.edf").touch()
    with pytest.raises(ReadError, match="no known format|empty"):
        reading.read(tmp_path / "x.edf")


def test_unknown_format_name(tmp_path):
    (tmp_path / "x").touch()
    with pytest.raises(UnknownNameError, match="Unknown format 'nift'. Did you mean 'nifti'"):
        reading.read(tmp_path / "x", format="nift")


def test_arguments_a_reader_does_not_take(tmp_path):
    np.savez(tmp_path / "x.npz", times=[0.5], units=[0])
    with pytest.raises(ReadError, match="bogus"):
        reading.read(tmp_path / "x.npz", bogus=1)
    with pytest.raises(ReadError, match=r"these: \['spikes'\]\. It takes times, .*streams, ") as e:
        reading.read(tmp_path / "x.npz", spikes={}, streams={})
    assert str(e.value).endswith("meta.")
    (tmp_path / "x.csv").write_text("time,unit\n0.5,1\n")
    with pytest.raises(ReadError, match=r"these: \['times'\]\. It takes time, unit, "):
        reading.read(tmp_path / "x.csv", times="time", unit="unit")


def test_what_another_library_refuses_is_named(tmp_path, monkeypatch):
    (tmp_path / "x").touch()

    def library(scrub):
        return scrub

    def passing(path, strategy=(), **options):
        return library(**options)

    monkeypatch.setattr(reading, "_reader", lambda name: passing)
    with pytest.raises(ReadError, match=r"these: \['bogus'\]\. It takes strategy\."):
        reading.read(tmp_path / "x", format="fmriprep", scrub=5, bogus=1)


def test_foreign_exceptions_become_ours(tmp_path, monkeypatch):
    np.savez(tmp_path / "x.npz", times=[0.5], units=[0])

    def broken(path):
        raise KeyError("deep inside")

    monkeypatch.setattr(reading, "_reader", lambda name: broken)
    with pytest.raises(ReadError, match=r"x.npz: cannot be read as npz: KeyError: 'deep inside'"):
        reading.read(tmp_path / "x.npz")


def test_tables_are_known_by_their_text(tmp_path):
    (tmp_path / "words.dat").write_text("word;rt\nIf;310\nyou;290\n")
    rec = reading.read(tmp_path / "words.dat")
    assert rec["behaviour"].values.ravel().tolist() == [310, 290]
    (tmp_path / "prose.txt").write_text("It is a truth, universally\nacknowledged\n")
    assert reading.sniff(tmp_path / "prose.txt") is None


def test_a_table_that_unpacks_without_end_is_refused(tmp_path, monkeypatch):
    import gzip

    from neurokit.datasets import tables

    monkeypatch.setattr(tables, "_ALLOWANCE", 2**20)
    bomb = b"a,b\n" + b"1,2\n" * 2**19
    (tmp_path / "x.csv.gz").write_bytes(gzip.compress(bomb))
    with pytest.raises(ReadError, match=r"x.csv.gz unpacks to more than .* MB; refused"):
        reading.read(tmp_path / "x.csv.gz", format="table")

"""Damaged NWB files: an error of ours or a valid recording, never anything else.

HDF5 is a C library; a crash or a hang in it would take the test process along. The files
are read in a child process with a limit on its memory and an alarm for each file.
"""

import json
import subprocess
import sys
import textwrap

import pytest

N_FILES = 2000
# One seed in every run; more, with other damage, by `make slow`.
SEEDS = [0, *(pytest.param(s, marks=pytest.mark.slow) for s in (10_000, 20_000, 30_000))]
SECONDS_A_FILE = 10
MEMORY = 4 * 2**30

CHILD = textwrap.dedent(
    """
    import json, pathlib, resource, signal, sys, warnings
    import h5py
    import numpy as np
    from neurokit.datasets.reading import read
    from neurokit.errors import NeurokitError

    folder, first, last, memory, seconds = pathlib.Path(sys.argv[1]), *map(int, sys.argv[2:])


    def tiny(path):
        text = h5py.string_dtype()
        with h5py.File(path, "w") as f:
            f.attrs["neurodata_type"], f.attrs["nwb_version"] = "NWBFile", "2.7.0"
            f["identifier"], f["session_start_time"] = "x", "2024-01-01T00:00:00+00:00"
            u = f.create_group("units")
            u.attrs["colnames"] = np.array(["spike_times", "location"], dtype=object)
            u["id"], u["spike_times"] = [3, 5], np.arange(10) / 10
            u["spike_times_index"] = np.array([4, 10], dtype="u1")
            u.create_dataset("location", data=["V1", "AL"], dtype=text)
            e = f.create_group("general/extracellular_ephys/electrodes")
            e.attrs["colnames"] = np.array(["x", "location"], dtype=object)
            e["id"], e["x"] = [0, 1], [1.0, 2.0]
            e.create_dataset("location", data=["V1", "V1"], dtype=text)
            s = f.create_group("acquisition/raw")
            s.attrs["neurodata_type"] = "ElectricalSeries"
            s.create_dataset("data", data=np.ones((30, 2), "i2"), chunks=(10, 2), compression=4)
            s["data"].attrs["conversion"], s["data"].attrs["unit"] = 1e-6, "volts"
            s["starting_time"] = 0.0
            s["starting_time"].attrs["rate"] = 100.0
            s["electrodes"] = [0, 1]
            p = f.create_group("processing/behavior/Position/place")
            p.attrs["neurodata_type"] = "SpatialSeries"
            p["data"], p["timestamps"] = np.ones((8, 2)), np.arange(8) / 8
            t = f.create_group("intervals/trials")
            t.attrs["colnames"] = np.array(["start_time", "stop_time", "tags"], dtype=object)
            t["id"], t["start_time"], t["stop_time"] = [0, 1], [0.0, 0.5], [0.4, 0.9]
            t.create_dataset("tags", data=["a", "b"], dtype=text)
            t["tags_index"] = np.array([1, 2], dtype="u1")


    def damaged(original, rng):
        raw = bytearray(original)
        kind = rng.integers(5)
        if kind == 0:
            return bytes(raw[: rng.integers(1, len(raw))])
        if kind == 1:
            at = rng.integers(0, len(raw) - 8)
            raw[at : at + 8] = rng.choice([2**62, 2**40, 2**31, 0]).astype("<u8").tobytes()
            return bytes(raw)
        if kind == 2:
            a, b = rng.integers(0, len(raw) - 16, 2)
            raw[a : a + 16] = raw[b : b + 16]
            return bytes(raw)
        used = np.flatnonzero(np.frombuffer(original, np.uint8))
        for at in rng.choice(used, rng.integers(1, 9)):
            raw[at] = rng.integers(256) if kind == 3 else raw[at] ^ (1 << rng.integers(8))
        return bytes(raw)


    tiny(folder / "tiny.nwb")
    original = (folder / "tiny.nwb").read_bytes()
    assert set(read(folder / "tiny.nwb").streams) == {"spikes", "ieeg", "behaviour"}
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    # Python's handlers wait for C code to return; the default kills at once.
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    warnings.simplefilter("ignore")
    for number in range(first, last):
        print(json.dumps({"file": number}), flush=True)
        path = folder / "damaged.nwb"
        path.write_bytes(damaged(original, np.random.default_rng(number)))
        signal.alarm(seconds)
        try:
            recording = read(path, format="nwb").load()
            outcome = "read" if recording.streams else "empty"
        except NeurokitError:
            outcome = "refused"
        except BaseException as error:
            outcome = f"{type(error).__name__}: {error}"
        signal.alarm(0)
        print(json.dumps({"file": number, "outcome": outcome}), flush=True)
    """
)


def _run(folder, first, last):
    """Read a range of files; return outcomes and the file at which the child died, if any."""
    arguments = [str(folder), first, last, MEMORY, SECONDS_A_FILE]
    done = subprocess.run(
        [sys.executable, "-c", CHILD, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    lines = [json.loads(x) for x in done.stdout.splitlines()]
    assert lines, done.stderr[-2000:]
    outcomes = {x["file"]: x["outcome"] for x in lines if "outcome" in x}
    died = lines[-1]["file"] if "outcome" not in lines[-1] else None
    if died is not None:
        outcomes[died] = f"the process died with code {done.returncode}"
    return outcomes, died


@pytest.mark.parametrize("seed", SEEDS)
def test_damaged_files_are_refused_or_read(tmp_path, seed):
    pytest.importorskip("resource")
    outcomes: dict[int, str] = {}
    first, last = seed, seed + N_FILES
    while first < last:
        fresh, died = _run(tmp_path, first, last)
        outcomes |= fresh
        first = last if died is None else died + 1
    bad = {k: v for k, v in outcomes.items() if v not in ("read", "refused")}
    assert not bad, bad
    assert len(outcomes) == N_FILES
    kinds = list(outcomes.values())
    assert kinds.count("refused") > 200
    assert kinds.count("read") > 200

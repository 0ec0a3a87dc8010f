"""Every array and table of the shared recordings reads by plain keyword arguments."""

import tomllib
from pathlib import Path

import numpy as np
import pytest

import neurokit as nk
from neurokit.datasets.spikes import read_mat, read_npz
from neurokit.datasets.tables import read_table
from neurokit.recording import Recording

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
pytestmark = pytest.mark.skipif(not SHARED.exists(), reason="needs the shared recordings")
READERS = {"npz": read_npz, "mat": read_mat, "table": read_table}

CALLS = tomllib.loads("""
[eegmat]
file = "eeg/eegmat_128hz_int16.npz"
segment = 71
segments = { offsets = "offsets", facts = { subject = "subject", run = "run" } }
[eegmat.streams.eeg]
array = "X"
axes = ["channel", "time"]
sampling_rate = "sfreq"
names = "ch_names"
scale = "scale_uV"
units = "uV"

[tensorpac]
file = "ieeg/tensorpac_seeg_data_pac.npz"
[tensorpac.streams.ieeg]
array = "data"
axes = ["trial", "time"]
time = "times"
sampling_rate = "sf"
names = ["premotor"]
units = "a.u."

[a2929]
file = "spikes/a2929_adn_ca1.npz"
times = "spike_times"
units = "spike_unit"
duration = 1200
unit_facts = { region = "location" }
[a2929.intervals]
ripple = "ripples"
epoch = { array = "epochs", names = "epoch_names" }
[a2929.streams.behaviour]
array = "pos_xyz_hd"
axes = ["time", "variable"]
time = "pos_t"
names = ["x", "y", "z", "head_direction"]
sampling_rate = 120

[aplysia]
file = "spikes/aplysia_Oct1514_3sessions.npz"
select = { session = 2 }
n_units = "n_units"
start = "t_start"
stop = "t_stop"
intervals = { stimulus = "stim_on" }

[ca1]
file = "spikes/ca1_linear_track.npz"
n_units = "n_units"
times = "times"
units = "units"
start = "t_start"
stop = "t_stop"
intervals = { run = [[4397.0023, 5347.0023]], rest = [[5347.0023, 6377.0023]] }
[ca1.streams.behaviour]
array = ["pos_x", "pos_y"]
time = "pos_t"
units = "pixel"

[onehot]
file = "spikes/sim_onehot_demo_seed1.npz"
facts = { b = "b", basis = "basis", P = "P", n_train = "n_tr" }
[onehot.streams.counts]
array = "X"
axes = ["trial", "time", "unit"]
sampling_rate = 100
[onehot.streams.behaviour]
array = "Z"
axes = ["trial", "time"]
sampling_rate = 100
names = ["state"]
[onehot.streams.coupling]
array = "W"
axes = ["presentation", "target", "source"]
[onehot.streams.adjacency]
array = "A"
axes = ["presentation", "target", "source"]

[songbird]
file = "spikes/songbird_hvc_seqnmf.mat"
[songbird.streams.calcium]
array = "NEURAL"
axes = ["unit", "time"]
sampling_rate = "VIDEOfs"
[songbird.streams.stimulus]
array = "SONG"
axes = ["variable", "time"]
sampling_rate = "SONGfs"

[fc_age]
file = "fmri/ds000228_basc064_fc_age.npz"
[fc_age.streams.connectivity]
array = "fc"
axes = ["presentation", "channel"]
coords = { presentation = { age = "age" } }

[fnc]
file = "fmri/mlsp2014_fnc_schizophrenia.csv.gz"
stream = "connectivity"

[tuckute]
file = "alignment/tuckute2024/bold_response_LH.csv"
stream = "bold"

[ceilings]
file = "alignment/tuckute2024/noise_ceiling.csv"

[words]
file = "alignment/naturalstories/ns_words_rt_surprisal.csv"
columns = ["meanItemRT", "meanItemRT_realigned", "surprisal"]

[story]
file = "alignment/naturalstories/processed_wordinfo.tsv"
select = { item = 3 }

[langloc]
file = "alignment/fedorenko2010_langloc/langloc_fmri_run1_stim_set1.csv"

[spose]
file = "alignment/things/things_behaviour_embeddings.npz"
[spose.streams.embedding]
array = "spose66"
axes = ["presentation", "variable"]
coords = { presentation = { concept = "unique_id" } }

[concepts]
file = "alignment/things/things_concepts.tsv"

[it]
file = "alignment/kriegeskorte92/kriegeskorte92.npz"
[it.streams.stimulus]
array = "images"
axes = ["presentation", "row", "column", "rgb"]
coords = { presentation = { category = "category", face = "face" } }
[it.streams.human_it]
array = "hIT_sub_sess"
axes = ["subject", "session", "presentation", "other"]
[it.streams.monkey_it]
array = "mIT_674"
axes = ["presentation"]

[rdms]
file = "alignment/kriegeskorte92/92_brainRDMs.mat"
[rdms.streams.human_it]
array = "RDMs.RDM"
axes = ["subject", "session", "presentation", "other"]

[alexnet]
file = "alignment/weights/alexnet_imagenet_conv_fp16.npz"
[alexnet.streams.conv1]
array = "conv1_weight"
axes = ["presentation", "rgb", "row", "column"]
coords = { presentation = { bias = "conv1_bias" } }
""")


LANGLOC = sorted((SHARED / "alignment" / "fedorenko2010_langloc").glob("*.csv"))


def _read(name, **more):
    call = {**CALLS[name], **more}
    path = SHARED / call.pop("file")
    kind = {".npz": "npz", ".mat": "mat"}.get(path.suffix, "table")
    return READERS[kind](path, **call)


@pytest.mark.parametrize("name", sorted(CALLS))
def test_it_saves_and_opens_unchanged(name, tmp_path):
    rec = _read(name)
    assert Recording.open(rec.save(tmp_path / "r.zarr")).identical(rec)


def test_every_file_of_arrays_and_tables_is_covered():
    files = [p for s in ("npz", "mat", "csv", "csv.gz") for p in SHARED.rglob(f"*.{s}")]
    files += (SHARED / "alignment").rglob("*.tsv")
    covered = {call["file"] for call in CALLS.values()}
    absent = {p.relative_to(SHARED).as_posix() for p in files} - covered
    elsewhere = {p.relative_to(SHARED).as_posix() for p in LANGLOC}
    assert absent - elsewhere == {"alignment/things/words.csv"}  # below, with other text


def test_eegmat():
    rec = _read("eegmat")
    assert rec["eeg"].sizes["channel"] == 20
    assert rec["eeg"].attrs == {"sampling_rate": 128.0, "units": "V"}
    assert rec["eeg"]["channel"].values[:2].tolist() == ["Fp1", "Fp2"]
    assert (rec.meta["subject"], rec.meta["run"]) == (35, 2)
    raw = np.load(SHARED / "eeg/eegmat_128hz_int16.npz")
    last = raw["X"][:, raw["offsets"][-2] :]
    np.testing.assert_allclose(rec["eeg"].values.T, last * 1e-7, rtol=1e-6)


def test_eegmat_as_a_list_gives_the_windows_of_the_facts():
    recs = _read("eegmat", segment=None)
    windows = np.array([r["eeg"].sizes["time"] // 640 for r in recs])
    runs = np.array([r.meta["run"] for r in recs])
    subjects = np.array([r.meta["subject"] for r in recs])
    assert len(recs) == 72
    assert sum(r["eeg"].sizes["time"] for r in recs) == 1_110_528
    assert windows.sum() == 1707
    assert windows[runs == 2].sum() == 432
    parts = np.digitize(subjects, [28, 32])
    assert [windows[parts == p].sum() for p in range(3)] == [1343, 172, 192]


def test_tensorpac_trials_lie_end_to_end_with_their_zeros_marked():
    rec = _read("tensorpac")
    raw = np.load(SHARED / "ieeg/tensorpac_seeg_data_pac.npz")
    assert rec["ieeg"].shape == (160 * 4001, 1)
    assert rec["ieeg"].attrs == {"sampling_rate": 1024.0, "units": "a.u."}
    np.testing.assert_array_equal(rec["ieeg"].values.reshape(160, 4001), raw["data"])
    events = rec.events
    assert (events["trial_type"] == "trial").sum() == (events["trial_type"] == "zero").sum() == 160
    zero = events[events["trial_type"] == "zero"]["onset"].to_numpy()
    np.testing.assert_allclose(zero[7], 7 * 4001 / 1024 + 0.9765625)


def test_a2929():
    rec = _read("a2929")
    spikes = rec["spikes"]
    assert spikes.sizes == {"spike": 98794, "unit": 15}
    regions = spikes["region"].values.tolist()
    assert (regions.count("adn"), regions.count("ca1")) == (7, 8)
    assert rec["behaviour"].attrs["sampling_rate"] == 120
    assert rec["behaviour"].shape == (63527, 4)
    counts = rec.events["trial_type"].value_counts().to_dict()
    assert counts == {"ripple": 594, "sleep": 1, "wake": 1}
    assert rec.events.query("trial_type == 'wake'")[["onset", "duration"]].values.tolist() == [
        [600.0, 600.0]
    ]


def test_aplysia_has_three_sessions_of_the_same_units():
    sizes = []
    for session in (1, 2, 3):
        rec = _read("aplysia", select={"session": session})
        assert rec["spikes"].sizes["unit"] == 102
        assert rec.stop == pytest.approx(122.8)
        assert rec.events["onset"].tolist() == [30.0]
        sizes.append(rec["spikes"].sizes["spike"])
    assert sum(sizes) == 58424


def test_ca1_linear_track():
    rec = _read("ca1")
    assert rec["spikes"].sizes == {"spike": 28829, "unit": 31}
    assert rec.duration == pytest.approx(1982.5, abs=0.1)
    assert rec["behaviour"].sizes["time"] == 19828
    assert rec["behaviour"]["variable"].values.tolist() == ["pos_x", "pos_y"]
    assert rec.events["trial_type"].tolist() == ["run", "rest"]


def test_the_simulation_keeps_its_truth():
    rec = _read("onehot")
    raw = np.load(SHARED / "spikes/sim_onehot_demo_seed1.npz")
    assert rec["counts"].shape == (40000, 20)
    np.testing.assert_array_equal(rec["counts"].values.reshape(20, 2000, 20), raw["X"])
    np.testing.assert_array_equal(rec["behaviour"].values.ravel(), raw["Z"].ravel())
    np.testing.assert_array_equal(rec["coupling"].values, raw["W"])
    assert rec.meta["n_train"] == 10
    assert (rec.events["trial_type"] == "trial").sum() == 20


def test_songbird():
    rec = _read("songbird")
    assert rec["calcium"].shape == (666, 75)
    assert rec["calcium"].attrs["sampling_rate"] == 30
    assert rec["stimulus"].shape == (4440, 141)
    assert rec.duration == pytest.approx(22.2)


def test_connectivity_and_age():
    rec = _read("fc_age")
    assert rec["connectivity"].shape == (155, 2016)
    assert rec["connectivity"]["age"].values.min() == pytest.approx(3.5, abs=0.2)
    fnc = _read("fnc")["connectivity"]
    assert fnc.sizes["presentation"] == 86
    assert sum(c.startswith("FNC") for c in fnc["channel"].values) == 378


def test_language_responses_and_ceilings():
    bold = _read("tuckute")["bold"]
    assert bold.shape == (1000, 6)
    assert bold["sentence"].values[0] == "Taste that fowl and those fish."
    ceilings = _read("ceilings")["behaviour"]
    found = dict(zip(ceilings["roi"].values, ceilings.sel(variable="nc_r").values, strict=True))
    rounded = {roi: round(float(r), 2) for roi, r in found.items()}
    assert rounded == {
        "lang_LHRH_netw": 0.51,
        "lang_LH_AntTemp": 0.46,
        "lang_LH_IFG": 0.45,
        "lang_LH_IFGorb": 0.45,
    }


def test_natural_stories():
    words = _read("words")["behaviour"]
    assert words.sizes["presentation"] == 10256
    assert words["word"].values[:2].tolist() == ["If", "you"]
    released = words.sel(variable="meanItemRT").values
    realigned = words.sel(variable="meanItemRT_realigned").values
    assert realigned[1] == released[0]
    assert np.isnan(realigned[0])
    assert len(set(_read("story")["behaviour"].sel(variable="item").values.tolist())) == 1


def test_images_and_embeddings():
    rec = _read("it")
    assert rec["stimulus"].shape == (92, 175, 175, 3)
    assert rec["stimulus"].dtype == np.uint8
    assert rec["human_it"].dims == ("presentation", "subject", "session", "other")
    # The npz repeats the released RDMs.
    np.testing.assert_allclose(_read("rdms")["human_it"], rec["human_it"], atol=1e-6)
    assert rec["stimulus"]["category"].values[0] == "human bodypart"
    assert _read("spose")["embedding"].shape == (1854, 66)
    assert _read("spose")["embedding"]["concept"].values[0] == "aardvark"
    assert _read("concepts")["behaviour"]["Word"].values[1] == "abacus"
    assert _read("alexnet")["conv1"].shape == (64, 3, 11, 11)


def test_every_list_of_the_language_localiser(tmp_path):
    assert len(LANGLOC) == 10
    for path in LANGLOC:
        rec = read_table(path)
        items = rec["behaviour"]
        kinds = items["stim14"].values.tolist()
        assert (items.sizes["presentation"], kinds.count("S"), kinds.count("N")) == (48, 24, 24)
        assert Recording.open(rec.save(tmp_path / f"{path.stem}.zarr")).identical(rec)


TEXT = {
    "alignment/things/words.csv": ({}, 1854, "word", "aardvark"),
    "alignment/things/labels_66.txt": (
        {"header": False}, 66, "column_0", "metallic/artificial"),
    "alignment/naturalstories/all_stories.tok": ({}, 10_256, "word", "If"),
}  # fmt: skip


@pytest.mark.parametrize("name", TEXT)
def test_lists_of_words(name, tmp_path):
    arguments, n, column, first = TEXT[name]
    rec = nk.datasets.read(SHARED / name, format="table", **arguments)
    assert rec["behaviour"].sizes["presentation"] == n
    assert rec["behaviour"][column].values[0] == first
    assert Recording.open(rec.save(tmp_path / "r.zarr")).identical(rec)

"""One way in; bad input of any layout gives one sentence that names the file."""

import contextlib
import warnings

import numpy as np
import pytest

from neurokit.datasets import read_assembly
from neurokit.datasets.assemblies import LAYOUTS, Assembly
from neurokit.errors import NeurokitError, ReadError, UnknownNameError

# How each generated layout is read: writer, arguments.
GENERATED = {
    "algonauts2023": ("algonauts", {}),
    "bold5000": ("bold5000", {}),
    "brainio": ("brainio", {}),
    "kay2008": ("kay", {}),
    "lebel2023": ("lebel", {"voxels": [0, 1]}),
    "majajhong2015": ("brainio", {}),
    "narratives": ("narratives", {"task": "pieman"}),
    "nsd": ("nsd", {"region": "prf-visualrois"}),
    "pereira2018": ("pereira_mat", {"subject": "P01", "atlas": "languageLH"}),
    "things-behaviour": ("things_behaviour", {}),
    "things-fmri": ("things_fmri", {"region": "V1"}),
    "things-meg": ("things_meg", {}),
    "wehbe2014": ("wehbe", {}),
}
# Read from the same form of file as majajhong2015, or tested on the real files.
OTHERS = {"blank2014", "fedorenko2016", "fedorenko2010-localizer", "haxby-slice", "kriegeskorte92",
          "natural-stories", "tuckute2024"}  # fmt: skip


def test_every_layout_is_tested():
    assert set(GENERATED) | OTHERS == set(LAYOUTS)


@pytest.mark.parametrize("layout", GENERATED)
def test_reads(layout, write):
    writer, arguments = GENERATED[layout]
    folder, _ = write(writer)
    made = read_assembly(layout, folder, **arguments)
    assert isinstance(made, Assembly)
    assert made.name.startswith(layout) or layout == "brainio"
    assert made.responses is not None or made.triplets is not None
    if made.responses is not None:
        assert made.responses.dtype == np.float32
        assert (made.responses["subject"].values != "").all()


@pytest.mark.parametrize("layout", GENERATED)
def test_truncated_files_never_give_another_error(layout, write):
    """Cut each file in turn: it is read all the same, or one of ours names what is wrong."""
    writer, arguments = GENERATED[layout]
    folder, _ = write(writer)
    messages = []
    for file in sorted(p for p in folder.rglob("*") if p.is_file() and p.stat().st_size > 8):
        whole = file.read_bytes()
        for part in (3, len(whole) // 2, len(whole) - 5):
            file.write_bytes(whole[:part])
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                try:
                    read_assembly(layout, folder, **arguments)
                except NeurokitError as error:
                    messages.append(str(error))
        file.write_bytes(whole)
    assert len(messages) >= 2
    assert not [m for m in messages if "\n" in m.strip()]


@pytest.mark.parametrize("layout", GENERATED)
def test_flipped_bytes_never_give_another_error(layout, write):
    writer, arguments = GENERATED[layout]
    folder, _ = write(writer)
    rng = np.random.default_rng(1)
    files = sorted(p for p in folder.rglob("*") if p.is_file() and p.stat().st_size > 8)
    for turn in range(12):
        file = files[turn % len(files)]
        whole = file.read_bytes()
        flipped = bytearray(whole)
        for at in rng.integers(0, min(len(whole), 6000), 3):
            flipped[at] = rng.integers(0, 256)
        file.write_bytes(bytes(flipped))
        with warnings.catch_warnings(), contextlib.suppress(NeurokitError):
            warnings.simplefilter("ignore")
            read_assembly(layout, folder, **arguments)
        file.write_bytes(whole)


@pytest.mark.parametrize("layout", [k for k in LAYOUTS if k not in ("narratives", "haxby-slice")])
def test_an_empty_folder_says_what_is_missing(layout, tmp_path):
    with pytest.raises(ReadError, match="expected|There is no file|there is no"):
        read_assembly(layout, tmp_path)


def test_wrong_names_and_places(tmp_path, write):
    with pytest.raises(UnknownNameError, match="Did you mean 'pereira2018'"):
        read_assembly("pereira", tmp_path)
    with pytest.raises(ReadError, match="There is no file or folder .*nowhere"):
        read_assembly("nsd", tmp_path / "nowhere")
    (tmp_path / "data.pkl").write_bytes(b"\x80\x04.")
    with pytest.raises(ReadError, match="data.pkl is a pickle, which may run code"):
        read_assembly("narratives", tmp_path / "data.pkl")
    with pytest.raises(ReadError, match="The reader of narratives needs 'task'="):
        read_assembly("narratives", tmp_path)
    folder, _ = write("wehbe")
    with pytest.raises(ReadError, match=r"wehbe2014 does not take these: \['colour'\]"):
        read_assembly("wehbe2014", folder, colour=1)


def test_pickled_arrays_are_refused(tmp_path, write):
    folder, _ = write("algonauts")
    mask = next((folder / "subj03" / "roi_masks").glob("lh.*"))
    np.save(mask, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(ReadError, match="only pickle can load"):
        read_assembly("algonauts2023", folder, regions="prf-visualrois")

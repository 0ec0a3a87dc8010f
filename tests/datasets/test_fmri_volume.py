"""NIfTI files and what lies beside them."""

import gzip
import json
import struct
from pathlib import Path

import nibabel
import numpy as np
import pytest

from neurokit.datasets.fmri import events_from_attributes, read_nifti, sniff
from neurokit.errors import DataError, ReadError
from neurokit.recording import Recording

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "fmri"
shared = pytest.mark.skipif(not SHARED.is_dir(), reason="the shared recordings are not here")
AFFINE = np.diag([3.0, 3.0, 4.0, 1.0])


@pytest.fixture
def run(tmp_path):
    """Write a run of 20 volumes; return a function that writes it under a name."""
    values = np.random.default_rng(0).integers(-500, 500, size=(6, 5, 4, 20)).astype(np.int16)

    def write(name="sub-1_task-rest_bold.nii.gz", sidecar=None, kind=nibabel.Nifti1Image):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        image = kind(values, AFFINE)
        image.header.set_slope_inter(0.25, 100.0)
        nibabel.save(image, path)
        if sidecar is not None:
            side = path.with_name(path.name.split(".")[0] + ".json")
            side.write_text(json.dumps(sidecar))
        return path

    return write


@pytest.mark.parametrize("kind", [nibabel.Nifti1Image, nibabel.Nifti2Image])
@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
def test_values_are_nibabels(run, kind, ending):
    path = run(f"run{ending}", kind=kind)
    bold = read_nifti(path, repetition_time=2.0)["bold"]
    expected = nibabel.load(path).get_fdata().reshape(-1, 20).T
    np.testing.assert_array_equal(bold.values, expected.astype(np.float32))
    assert sniff(path) == "nifti"


@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
def test_lazy_equals_eager_and_reads_ranges(run, ending):
    path = run(f"run{ending}")
    mask = np.random.default_rng(1).random((6, 5, 4)) > 0.5
    eager = read_nifti(path, repetition_time=2.0, mask=mask)
    lazy = read_nifti(path, repetition_time=2.0, mask=mask, lazy=True)
    np.testing.assert_array_equal(lazy["bold"][7:12], eager["bold"][7:12])
    np.testing.assert_array_equal(lazy["bold"][-1], eager["bold"][-1])
    assert lazy.load().identical(eager)


def test_big_endian(run, tmp_path):
    image = nibabel.load(run())
    swapped = nibabel.Nifti1Image(image.get_fdata(), AFFINE, image.header.as_byteswapped(">"))
    nibabel.save(swapped, tmp_path / "big.nii")
    expected = nibabel.load(tmp_path / "big.nii").get_fdata().reshape(-1, 20).T
    bold = read_nifti(tmp_path / "big.nii", repetition_time=2.0)["bold"]
    np.testing.assert_array_equal(bold.values, expected.astype(np.float32))


def test_saved_and_opened_is_the_same(run, tmp_path):
    rec = read_nifti(run(sidecar={"RepetitionTime": 2.5}))
    assert Recording.open(rec.save(tmp_path / "run.zarr")).load().identical(rec)


def test_tr_from_sidecar_beside_or_above(run, tmp_path):
    assert read_nifti(run(sidecar={"RepetitionTime": 1.5})).stop == 30.0
    path = run("data/sub-2/ses-1/func/sub-2_ses-1_task-rest_run-1_bold.nii.gz")
    with pytest.raises(DataError, match=r"sub-2_ses-1.*TR\) is nowhere"):
        read_nifti(path)
    (tmp_path / "data/task-motor_bold.json").write_text('{"RepetitionTime": 9}')
    (tmp_path / "data/task-rest_bold.json").write_text('{"RepetitionTime": 0.8}')
    assert read_nifti(path)["bold"].attrs["sampling_rate"] == pytest.approx(1.25)
    near = tmp_path / "data/sub-2/sub-2_task-rest_bold.json"
    near.write_text('\ufeff{"RepetitionTime": 0.5}', encoding="utf-8")
    assert read_nifti(path)["bold"].attrs["sampling_rate"] == 2.0
    assert read_nifti(path, repetition_time=4)["bold"].attrs["sampling_rate"] == 0.25


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ('{"RepetitionTime": 2500}', "looks like milliseconds"),
        ('{"RepetitionTime": "2"}', "expected a positive number"),
        ("{", "sidecar is not valid JSON"),
        ("[1]", "holds a list, not facts"),
    ],
)
def test_bad_sidecars(run, text, match):
    path = run()
    path.with_name("sub-1_task-rest_bold.json").write_text(text)
    with pytest.raises((DataError, ReadError), match=match):
        read_nifti(path)


def test_bids_events_and_names(run):
    path = run("sub-1_task-rest_space-MNI_desc-preproc_bold.nii.gz", {"RepetitionTime": 2})
    table = "\ufeffonset\tduration\ttrial_type\n4.0\t2.0\tface\nn/a\t1\thouse\n"
    events = path.with_name("sub-1_task-rest_events.tsv")
    events.write_text(table.replace("n/a", "8"), encoding="utf-8")
    rec = read_nifti(path)
    assert rec.events["trial_type"].tolist() == ["face", "house"]
    assert (rec.meta["subject"], rec.meta["task"], rec.meta["space"]) == ("1", "rest", "MNI")
    events.write_text("onset\tduration\n1\t2\t3\n")
    with pytest.raises(ReadError, match="events.tsv: cannot be read as a table of events"):
        read_nifti(path)


def test_truncated_and_damaged_files(run, tmp_path):
    whole = run("run.nii.gz").read_bytes()
    for n_bytes in (10, 300, len(whole) // 2, len(whole) - 4):
        (tmp_path / "cut.nii.gz").write_bytes(whole[:n_bytes])
        with pytest.raises(ReadError, match="cut.nii.gz"):
            read_nifti(tmp_path / "cut.nii.gz", repetition_time=2.0)
    turned = bytearray(whole)
    turned[len(whole) // 2] ^= 0xFF
    (tmp_path / "turned.nii.gz").write_bytes(turned)
    with pytest.raises(ReadError, match="truncated or damaged"):
        read_nifti(tmp_path / "turned.nii.gz", repetition_time=2.0)
    plain = run("run.nii").read_bytes()
    (tmp_path / "cut.nii").write_bytes(plain[:-1])
    with pytest.raises(ReadError, match=r"truncated: a header for shape \(6, 5, 4, 20\)"):
        read_nifti(tmp_path / "cut.nii", repetition_time=2.0)
    (tmp_path / "short.nii.gz").write_bytes(gzip.compress(plain[:-100]))
    lazy = read_nifti(tmp_path / "short.nii.gz", repetition_time=2.0, lazy=True)
    with pytest.raises(ReadError, match="data end 100 bytes before"):
        lazy.load()


def test_claims_are_compared_before_anything_is_allocated(run, tmp_path):
    raw = bytearray(run("run.nii").read_bytes())
    struct.pack_into("<4h", raw, 42, 3000, 3000, 3000, 3000)
    (tmp_path / "huge.nii.gz").write_bytes(gzip.compress(raw))
    with pytest.raises(ReadError, match="more than .* compressed bytes can hold"):
        read_nifti(tmp_path / "huge.nii.gz", repetition_time=2.0)
    struct.pack_into("<4h", raw, 42, 1200, 1000, 1000, 1)
    (tmp_path / "bomb.nii.gz").write_bytes(
        gzip.compress(bytes(raw) + bytes(10**7)) + bytes(5 * 10**6)
    )
    with pytest.raises(ReadError, match="refused: .* that expand to"):
        read_nifti(tmp_path / "bomb.nii.gz", repetition_time=2.0)
    whole = run("run.nii").read_bytes()
    (tmp_path / "more.nii.gz").write_bytes(gzip.compress(whole + bytes(2**21)))
    with pytest.raises(ReadError, match="bytes follow the .* that the header announces"):
        read_nifti(tmp_path / "more.nii.gz", repetition_time=2.0)


def test_what_is_no_series(tmp_path):
    nibabel.save(nibabel.Nifti1Image(np.ones((3, 3, 3), np.int16), AFFINE), tmp_path / "t1.nii")
    with pytest.raises(DataError, match="t1.nii: .*One volume is no time series"):
        read_nifti(tmp_path / "t1.nii", repetition_time=2.0)
    (tmp_path / "text.nii").write_text("x" * 600)
    with pytest.raises(ReadError, match="not a NIfTI file"):
        read_nifti(tmp_path / "text.nii", repetition_time=2.0)
    holes = np.ones((3, 3, 3, 4), np.float32)
    holes[0, 0, 0, 2] = np.nan
    nibabel.save(nibabel.Nifti1Image(holes, AFFINE), tmp_path / "nan.nii")
    with pytest.raises(DataError, match="nan.nii: 1 of 27 voxels hold NaN or infinity, 0 of them"):
        read_nifti(tmp_path / "nan.nii", repetition_time=2.0)


def test_attributes_become_blocks(tmp_path):
    path = tmp_path / "attributes.txt"
    path.write_text("labels chunks\nrest 0\nface 0\nface 0\nface 1\nrest 1\n")
    blocks = events_from_attributes(path, 2.5)
    assert blocks["onset"].tolist() == [0.0, 2.5, 7.5, 10.0]
    assert blocks["duration"].tolist() == [2.5, 5.0, 2.5, 2.5]
    assert blocks["trial_type"].tolist() == ["rest", "face", "face", "rest"]
    assert blocks["run"].tolist() == [0, 0, 1, 1]
    with pytest.raises(DataError, match="labels 5 volumes, the image has 6"):
        events_from_attributes(path, 2.5, 6)
    path.write_text("rest 0\nface\n")
    with pytest.raises(ReadError, match="line 2 is 'face', expected a label and"):
        events_from_attributes(path, 2.5)


@shared
def test_haxby_slice_facts(tmp_path):
    folder = SHARED / "haxby_1slice"
    with pytest.raises(DataError, match=r"header claims 2\.5 s"):
        read_nifti(folder / "bold.nii.gz")
    rec = read_nifti(
        folder / "bold.nii.gz",
        repetition_time=2.5,
        attributes=folder / "attributes_literal.txt",
        mask=folder / "mask.nii.gz",
    )
    assert rec["bold"].shape == (1452, 530)
    assert rec["bold"].attrs["shape"] == [40, 20, 1]
    assert rec.stop == 1452 * 2.5
    assert rec.events["run"].nunique() == 12
    categories = set(rec.events["trial_type"]) - {"rest"}
    assert len(categories) == 8
    assert (rec.events.groupby("run")["trial_type"].nunique() == 9).all()
    assert rec.events["duration"].sum() == rec.stop
    assert Recording.open(rec.save(tmp_path / "haxby.zarr")).load().identical(rec)


@shared
def test_localizer_facts(tmp_path):
    (path,) = (SHARED / "ds205_localizer").glob("*_volreg.nii.gz")
    rec = read_nifti(path, repetition_time=2.2)
    assert rec["bold"].shape == (82, 53 * 53 * 27)
    image = rec.to_nifti()
    expected = nibabel.load(path).get_fdata(dtype=np.float64).astype(np.float32)
    np.testing.assert_array_equal(image.get_fdata(dtype=np.float32), expected)
    assert Recording.open(rec.save(tmp_path / "run.zarr")).load().identical(rec)

"""CIFTI, GIFTI and MGH series, and fMRIPrep's runs."""

import json

import nibabel
import numpy as np
import pandas as pd
import pytest
from nibabel.cifti2 import BrainModelAxis, ParcelsAxis, ScalarAxis, SeriesAxis

from neurokit.datasets.fmri import (
    read_cifti,
    read_fmriprep,
    read_gifti,
    read_mgh,
    sniff,
)
from neurokit.errors import DataError, ReadError
from neurokit.recording import Recording

X = np.random.default_rng(0).normal(100, 5, size=(7, 18)).astype(np.float32)
CORTEX = BrainModelAxis.from_surface(np.arange(5, 15), 20, "CortexLeft")
THALAMUS = BrainModelAxis.from_mask(np.ones((2, 2, 2)), "ThalamusLeft", np.diag([2.0, 2, 2, 1]))


def cifti(path, values=X, rows=None, columns=None):
    rows = SeriesAxis(1.44, 0.72, len(values)) if rows is None else rows
    columns = CORTEX + THALAMUS if columns is None else columns
    nibabel.Cifti2Image(values, header=(rows, columns)).to_filename(path)
    return path


def gifti(path, arrays, **kwargs):
    parts = [nibabel.gifti.GiftiDataArray(a, "NIFTI_INTENT_TIME_SERIES", **kwargs) for a in arrays]
    nibabel.GiftiImage(darrays=parts).to_filename(path)
    return path


def test_greyordinates(tmp_path):
    path = cifti(tmp_path / "sub-1_bold.dtseries.nii")
    rec = read_cifti(path)
    bold = rec["bold"]
    np.testing.assert_array_equal(bold.values, X)
    np.testing.assert_allclose(bold["time"].values[:2], [1.44, 2.16])
    assert bold["structure"].values[[0, -1]].tolist() == ["CORTEX_LEFT", "THALAMUS_LEFT"]
    assert bold["vertex"].values[[0, 9, 10]].tolist() == [5, 14, -1]
    assert bold["i"].values[[0, -1]].tolist() == [-1, 1]
    assert float(bold["x"][-1]) == 0.002
    assert rec.sel(structure="CORTEX_LEFT")["bold"].shape == (7, 10)
    lazy = read_cifti(path, lazy=True)
    np.testing.assert_array_equal(lazy["bold"][2:4], X[2:4])
    assert lazy.load().identical(rec)
    assert Recording.open(rec.save(tmp_path / "run.zarr")).load().identical(rec)
    assert sniff(path) == "cifti"


def test_parcels(tmp_path):
    axis = ParcelsAxis.from_brain_models([("V1", CORTEX), ("LGN", THALAMUS)])
    path = cifti(tmp_path / "sub-1_bold.ptseries.nii", X[:, :2], columns=axis)
    bold = read_cifti(path)["bold"]
    assert bold.dims == ("time", "roi")
    np.testing.assert_array_equal(bold.sel(roi="LGN"), X[:, 1])


def test_series_axis_and_sidecar_must_agree(tmp_path):
    path = cifti(tmp_path / "sub-1_bold.dtseries.nii")
    (tmp_path / "sub-1_bold.json").write_text(json.dumps({"RepetitionTime": 0.72}))
    assert read_cifti(path)["bold"].attrs["sampling_rate"] == pytest.approx(1 / 0.72)
    (tmp_path / "sub-1_bold.json").write_text(json.dumps({"RepetitionTime": 2.0}))
    with pytest.raises(DataError, match=r"sidecar says TR 2 s, the series axis 0\.72 s"):
        read_cifti(path)
    assert read_cifti(path, repetition_time=2)["bold"].attrs["sampling_rate"] == 0.5


def test_cifti_that_is_no_series_or_damaged(tmp_path):
    maps = cifti(tmp_path / "x.dscalar.nii", X[:2], rows=ScalarAxis(["a", "b"]))
    with pytest.raises(ReadError, match="Scalar x BrainModel, expected Series"):
        read_cifti(maps)
    hertz = cifti(tmp_path / "x.dtseries.nii", rows=SeriesAxis(0, 1, 7, "HERTZ"))
    with pytest.raises(DataError, match="in HERTZ, not seconds"):
        read_cifti(hertz)
    whole = cifti(tmp_path / "y.dtseries.nii").read_bytes()
    (tmp_path / "cut.nii").write_bytes(whole[:-1])
    with pytest.raises(ReadError, match="truncated or damaged"):
        read_cifti(tmp_path / "cut.nii")
    (tmp_path / "xml.nii").write_bytes(whole.replace(b"<Matrix", b"<Matrux"))
    with pytest.raises(ReadError, match="cannot be read as CIFTI-2"):
        read_cifti(tmp_path / "xml.nii")


@pytest.mark.parametrize("encoding", ["ASCII", "B64BIN", "B64GZ"])
def test_gifti_series(tmp_path, encoding):
    path = gifti(tmp_path / "sub-1_hemi-R_bold.func.gii", X, encoding=f"GIFTI_ENCODING_{encoding}")
    bold = read_gifti(path, repetition_time=2.0)["bold"]
    np.testing.assert_allclose(bold.values, X, rtol=1e-6)
    assert bold.sel(voxel=3)["vertex"] == 3
    assert set(bold["hemisphere"].values) == {"R"}
    assert sniff(path) == "gifti"
    with pytest.raises(DataError, match=r"TR\) is nowhere"):
        read_gifti(path)


def test_gifti_in_one_array(tmp_path):
    path = gifti(tmp_path / "x.gii", [X.T])
    np.testing.assert_array_equal(read_gifti(path, repetition_time=2.0)["bold"].values, X)


def test_gifti_that_is_no_series_or_lies(tmp_path):
    mixed = gifti(tmp_path / "mesh.gii", [X[:4, :3], X[0]])
    with pytest.raises(ReadError, match="are no time series"):
        read_gifti(mixed, repetition_time=2.0)
    whole = gifti(tmp_path / "x.gii", X).read_text()
    for old, new, match in [
        ('Dim0="18"', 'Dim0="17"', "announces 68 bytes and holds more"),
        ('Dim0="18"', 'Dim0="900"', "announces 3600 bytes and holds 72"),
        ('Dim0="18"', 'Dim0="-1"', "data array of shape"),
        ("FLOAT32", "RGB24", "are not supported"),
        ("GZipBase64Binary", "ExternalFileBinary", "lie in another file"),
        ("</DataArray>", "", "cannot be read as GIFTI"),
        ("GIFTI", "SVG", "not a GIFTI file"),
    ]:
        (tmp_path / "bad.gii").write_text(whole.replace(old, new))
        with pytest.raises(ReadError, match=match):
            read_gifti(tmp_path / "bad.gii", repetition_time=2.0)


@pytest.mark.parametrize("ending", [".mgh", ".mgz"])
def test_mgh_volume_and_surface(tmp_path, ending):
    volume = X.T.reshape(3, 3, 2, 7)
    path = tmp_path / f"run{ending}"
    nibabel.MGHImage(volume, np.diag([2.0, 2, 3, 1])).to_filename(path)
    rec = read_mgh(path, repetition_time=2.0)
    np.testing.assert_array_equal(rec.to_nifti().get_fdata(dtype=np.float32), volume)
    np.testing.assert_array_equal(rec.to_nifti().affine, np.diag([2.0, 2, 3, 1]))
    assert read_mgh(path, repetition_time=2.0, lazy=True).load().identical(rec)
    assert sniff(path) == "mgh"
    surface = tmp_path / f"lh.run{ending}"
    nibabel.MGHImage(X.T.reshape(18, 1, 1, 7), np.eye(4)).to_filename(surface)
    bold = read_mgh(surface, repetition_time=2.0)["bold"]
    np.testing.assert_array_equal(bold.values, X)
    assert set(bold["hemisphere"].values) == {"L"}
    (tmp_path / "cut.mgh").write_bytes(path.read_bytes()[:200])
    with pytest.raises(ReadError, match="cut.mgh"):
        read_mgh(tmp_path / "cut.mgh", repetition_time=2.0)


@pytest.fixture
def fmriprep(tmp_path):
    """A derivative tree with volumes, a brain mask and confounds."""
    folder = tmp_path / "derivatives" / "sub-1" / "func"
    folder.mkdir(parents=True)
    rng = np.random.default_rng(3)
    n = 30
    stem = "sub-1_task-rest_space-MNI_desc"
    values = rng.normal(1000, 10, size=(4, 4, 3, n)).astype(np.float32)
    values[0] = np.nan
    nibabel.save(nibabel.Nifti1Image(values, np.eye(4)), folder / f"{stem}-preproc_bold.nii.gz")
    (folder / f"{stem}-preproc_bold.json").write_text('{"RepetitionTime": 2.0}')
    mask = np.ones((4, 4, 3), np.uint8)
    mask[0] = 0
    nibabel.save(nibabel.Nifti1Image(mask, np.eye(4)), folder / f"{stem}-brain_mask.nii.gz")
    motion = [f"{kind}_{axis}" for kind in ("trans", "rot") for axis in "xyz"]
    table = pd.DataFrame(rng.normal(size=(n, 8)), columns=[*motion, "csf", "white_matter"])
    for name in list(table):
        table[f"{name}_derivative1"] = table[name].diff()
    table["framewise_displacement"] = np.r_[np.nan, np.full(n - 1, 0.1)]
    table.loc[12, "framewise_displacement"] = 3.0
    table["std_dvars"] = np.r_[np.nan, np.full(n - 1, 1.0)]
    table["non_steady_state_outlier00"] = np.r_[1.0, np.zeros(n - 1)]
    target = folder / "sub-1_task-rest_desc-confounds_timeseries.tsv"
    table.to_csv(target, sep="\t", index=False, na_rep="n/a")
    (folder / "sub-1_task-rest_desc-confounds_timeseries.json").write_text("{}")
    return folder / f"{stem}-preproc_bold.nii.gz"


def test_fmriprep_run(fmriprep):
    from nilearn.interfaces.fmriprep import load_confounds

    options = {"motion": "derivatives", "scrub": 0, "fd_threshold": 0.5}
    strategy = ("motion", "wm_csf", "scrub")
    rec = read_fmriprep(fmriprep, strategy, **options)
    table, mask = load_confounds(str(fmriprep), strategy=strategy, **options)
    assert rec["bold"].shape == (30, 36)
    np.testing.assert_allclose(rec["confounds"].values, table.to_numpy(), rtol=1e-6)
    assert rec["confounds"]["variable"].values.tolist() == list(table.columns)
    assert np.flatnonzero(rec["confounds"]["kept"].values).tolist() == mask.tolist()
    assert {0, 12}.isdisjoint(mask.tolist())
    plain = read_fmriprep(fmriprep, ("motion",), motion="basic")
    assert plain["confounds"].shape == (30, 6)


def test_fmriprep_errors(fmriprep, tmp_path):
    with pytest.raises(ReadError, match="confounds cannot be loaded"):
        read_fmriprep(fmriprep, ("compcor",))
    table = fmriprep.parent / "sub-1_task-rest_desc-confounds_timeseries.tsv"
    table.write_text("\n".join(table.read_text().splitlines()[:-1]) + "\n")
    with pytest.raises(DataError, match="confounds have 29 rows, the run 30 volumes"):
        read_fmriprep(fmriprep, ("motion",), motion="basic")
    table.unlink()
    with pytest.raises(ReadError, match="Could not find associated confound file"):
        read_fmriprep(fmriprep)

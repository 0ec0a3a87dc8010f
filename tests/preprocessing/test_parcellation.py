"""Parcels, spheres and masks, against nilearn."""

import warnings
from pathlib import Path

import nibabel
import numpy as np
import pytest

from neurokit.datasets.fmri import read_nifti
from neurokit.errors import DataError
from neurokit.preprocessing.confounds import clean_confounds
from neurokit.preprocessing.parcellation import parcellate
from neurokit.recording import Recording
from neurokit.recording.nifti_conversion import from_nifti

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "fmri" / "ds205_localizer"
AFFINE = np.array([[-3.0, 0, 0, 20], [0, 3, 0, -15], [0, 0, 3, -10], [0, 0, 0, 1]])
SHAPE = (8, 7, 6)


@pytest.fixture(scope="module")
def volumes():
    values = np.random.default_rng(0).normal(1000, 100, size=(*SHAPE, 40)).astype(np.float32)
    return nibabel.Nifti1Image(values, AFFINE)


@pytest.fixture(scope="module")
def rec(volumes):
    return from_nifti(volumes, 2.0)


@pytest.fixture(scope="module")
def atlas():
    labels = np.random.default_rng(1).choice([0, 1, 2, 5, 9], size=SHAPE).astype(np.int16)
    return nibabel.Nifti1Image(labels, AFFINE)


@pytest.mark.parametrize("strategy", ["mean", "sum"])
def test_equal_to_nilearn(volumes, rec, atlas, strategy):
    from nilearn.maskers import NiftiLabelsMasker

    masker = NiftiLabelsMasker(atlas, standardize=None, strategy=strategy).fit()
    bold = parcellate(rec, atlas, strategy=strategy)["bold"]
    np.testing.assert_allclose(bold.values, masker.transform(volumes), rtol=1e-6)
    assert bold["roi"].values.tolist() == ["1", "2", "5", "9"]
    assert bold["n_voxels"].values.tolist() == [
        int((atlas.get_fdata() == n).sum()) for n in (1, 2, 5, 9)
    ]


def test_a_mask_counts_as_in_nilearn(volumes, rec, atlas):
    from nilearn.maskers import NiftiLabelsMasker

    inside = nibabel.Nifti1Image(
        (np.random.default_rng(2).random(SHAPE) > 0.4).astype(np.int8), AFFINE
    )
    masker = NiftiLabelsMasker(atlas, mask_img=inside, standardize=None).fit()
    expected = masker.transform(volumes)
    np.testing.assert_allclose(parcellate(rec, atlas, mask=inside)["bold"], expected, rtol=1e-6)
    masked = parcellate(rec, mask=inside)
    assert masked["bold"].sizes["voxel"] == int(inside.get_fdata().sum())
    np.testing.assert_allclose(parcellate(masked, atlas)["bold"], expected, rtol=1e-6)


def test_spheres_are_nilearns(volumes, rec):
    from nilearn.maskers import NiftiSpheresMasker

    seeds = np.array([[2.0, 0, -1], [8, -3, 2]])
    masker = NiftiSpheresMasker(seeds, radius=6, standardize=None, allow_overlap=True)
    expected = masker.fit().transform(volumes)
    bold = parcellate(rec, spheres=seeds * 1e-3, radius=0.006, names=["a", "b"])["bold"]
    np.testing.assert_allclose(bold.values, expected, rtol=1e-6)


def test_centroids_and_names(rec, atlas):
    names = {1: "V1", 2: "V2", 5: "MT", 9: "LO"}
    bold = parcellate(rec, atlas, names=names)["bold"]
    world = nibabel.affines.apply_affine(AFFINE, np.argwhere(atlas.get_fdata() == 5)).mean(axis=0)
    np.testing.assert_allclose([bold.sel(roi="MT")[a] for a in "xyz"], world * 1e-3)
    assert "affine" not in bold.attrs
    assert parcellate(rec, atlas, names=list("abcd"))["bold"]["roi"].values.tolist() == list("abcd")


def test_an_offset_costs_no_digits():
    values = np.full((20, 20, 20, 3), 16777.0, np.float32)
    values[..., 1] += 0.5
    rec = from_nifti(nibabel.Nifti1Image(values, AFFINE), 2.0)
    bold = parcellate(rec, np.ones((20, 20, 20), int))["bold"]
    assert bold.values.ravel().tolist() == [16777.0, 16777.5, 16777.0]


def test_lazy_and_other_streams_pass_through(volumes, rec, atlas, tmp_path):
    nibabel.save(volumes, tmp_path / "run.nii")
    nibabel.save(atlas, tmp_path / "atlas.nii.gz")
    lazy = read_nifti(tmp_path / "run.nii", repetition_time=2.0, lazy=True)
    out = parcellate(lazy, tmp_path / "atlas.nii.gz")
    np.testing.assert_array_equal(out["bold"], parcellate(rec, atlas)["bold"])
    assert out.meta["history"] == ["parcellate(mean of atlas.nii.gz: 4 parcels)"]
    assert Recording.open(out.save(tmp_path / "out.zarr")).load().identical(out)


def test_surfaces_take_one_label_a_vertex():
    rec = from_nifti(nibabel.Nifti1Image(np.arange(12.0).reshape(4, 1, 1, 3), AFFINE), 2.0)
    bold = parcellate(rec, np.array([0, 3, 3, 7]))["bold"]
    np.testing.assert_array_equal(bold.values, [[4.5, 9], [5.5, 10], [6.5, 11]])


def test_parcels_without_voxels_are_left_out(rec, atlas):
    inside = atlas.get_fdata() != 5
    with pytest.warns(UserWarning, match="1 of 4 parcels have no voxel and are left out: 5"):
        out = parcellate(rec, atlas, mask=inside)
    assert out["bold"]["label"].values.tolist() == [1, 2, 9]
    assert np.isfinite(out["bold"]).all()
    with pytest.raises(DataError, match="None of the 4 parcels has a voxel"):
        parcellate(rec, atlas, mask=atlas.get_fdata() == 0)


def test_another_grid_is_refused_with_the_remedy(rec, atlas):
    moved = nibabel.Nifti1Image(atlas.get_fdata(), AFFINE + np.eye(4, k=3))
    with pytest.raises(DataError, match=r"another grid.*21\.0.*20\.0.*resample_to_img"):
        parcellate(rec, moved)
    small = nibabel.Nifti1Image(np.ones((4, 4, 4), np.int16), AFFINE)
    with pytest.raises(DataError, match=r"shape \(4, 4, 4\).*shape \(8, 7, 6\)"):
        parcellate(rec, small)


@pytest.mark.parametrize(
    ("kwargs", "match"),
    [
        ({}, "Nothing to parcellate by"),
        ({"labels": np.zeros(SHAPE, int)}, "label image is empty"),
        ({"labels": np.full(SHAPE, 0.5)}, "not whole numbers"),
        ({"labels": np.full(SHAPE, np.nan)}, "not whole numbers"),
        ({"labels": np.ones(3, int)}, "Got 3 labels for 336 voxels"),
        ({"labels": np.ones(SHAPE, int), "names": ["a", "b"]}, "Got 2 names for 1 parcels"),
        ({"labels": np.ones(SHAPE, int), "names": {2: "b"}}, r"1 labels have no name: \[1\]"),
        (
            {"labels": np.ones(SHAPE, int), "strategy": "median"},
            "strategy is 'median'.*expected one of",
        ),
        ({"mask": np.zeros(SHAPE)}, "mask is empty"),
        ({"spheres": [[0, 0, 0]]}, "radius is None, expected metres"),
        ({"spheres": [[0, 0, 30]], "radius": 0.01}, "looks like millimetres"),
        ({"spheres": [0, 0, 0], "radius": 0.01}, r"shape \(seed, 3\)"),
        ({"spheres": [[0, 0, 0]], "radius": 0.01, "labels": np.ones(SHAPE)}, "not both"),
        ({"spheres": [[0.4, 0.4, 0.4]], "radius": 0.01}, "None of the 1 parcels has a voxel"),
    ],
)
def test_requests_that_make_no_sense(rec, kwargs, match):
    with pytest.raises(DataError, match=match):
        parcellate(rec, **kwargs)


def test_parcels_cannot_be_parcellated_again(rec, atlas):
    with pytest.raises(DataError, match=r"got \('time', 'roi'\)"):
        parcellate(parcellate(rec, atlas), atlas)


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared recordings are not here")
def test_localizer_facts():
    from nilearn.maskers import NiftiLabelsMasker

    (path,) = SHARED.glob("*_volreg.nii.gz")
    (labels,) = SHARED.glob("*_parc.nii.gz")
    rec = parcellate(read_nifti(path, repetition_time=2.2), labels)
    bold = rec["bold"]
    assert bold.shape == (82, 116)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = NiftiLabelsMasker(labels, standardize=None).fit().transform(path)
    np.testing.assert_allclose(bold.values, expected, rtol=1e-5)
    detrended = clean_confounds(rec, None)["bold"].values
    connectivity = np.corrcoef(detrended.T)[np.triu_indices(116, 1)]
    assert connectivity.mean() == pytest.approx(0.403, abs=1e-3)

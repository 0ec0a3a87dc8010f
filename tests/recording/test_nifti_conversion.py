"""Volumes to recordings and back."""

import nibabel
import numpy as np
import pytest

from neurokit.errors import DataError, ReadError
from neurokit.recording import Recording
from neurokit.recording.grid import Grid
from neurokit.recording.nifti_conversion import check_repetition_time, from_nifti, to_nifti

AFFINE = np.array([[-3.0, 0, 0.2, 60], [0, 3.5, 0, -40], [0.1, 0, 4, 10], [0, 0, 0, 1]])


def image(shape=(4, 3, 2, 5), dtype=np.float32, seed=0, affine=AFFINE):
    values = np.random.default_rng(seed).normal(1000, 50, size=shape).astype(dtype)
    return nibabel.Nifti1Image(values, affine)


def test_there_and_back_is_exact():
    original = image()
    back = to_nifti(from_nifti(original, 2.2))
    np.testing.assert_array_equal(back.get_fdata(dtype=np.float32), original.get_fdata())
    np.testing.assert_array_equal(back.affine, original.affine)
    assert back.shape == original.shape
    assert back.header["pixdim"][4] == pytest.approx(2.2)
    again = from_nifti(back, 2.2)
    assert again.identical(from_nifti(original, 2.2))


def test_voxels_are_nilearns_in_order_and_number():
    from nilearn.masking import apply_mask

    original = image()
    mask = nibabel.Nifti1Image(
        (np.random.default_rng(1).random((4, 3, 2)) > 0.5).astype(np.uint8), AFFINE
    )
    rec = from_nifti(original, 2.0, mask=mask)
    np.testing.assert_array_equal(rec["bold"].values, apply_mask(original, mask))


def test_coordinates_are_the_affines_in_metres():
    bold = from_nifti(image(), 2.0)["bold"]
    voxel = bold.isel(voxel=17)
    expected = nibabel.affines.apply_affine(AFFINE, [int(voxel[a]) for a in "ijk"])
    np.testing.assert_allclose([float(voxel[a]) for a in "xyz"], expected * 1e-3)
    assert bold["i"].dtype == np.int32


def test_world_units_other_than_mm_are_converted():
    original = image()
    original.header.set_xyzt_units("micron", "sec")
    grid = Grid.of_image(original)
    np.testing.assert_allclose(grid.affine[:3], AFFINE[:3] * 1e-3)


def test_scaled_integers_are_scaled():
    original = image(dtype=np.int16)
    original.header.set_slope_inter(0.5, 3.0)
    stored = nibabel.Nifti1Image.from_bytes(original.to_bytes())
    np.testing.assert_array_equal(
        from_nifti(stored, 2.0)["bold"].values,
        stored.get_fdata().reshape(-1, 5).T.astype(np.float32),
    )


def test_selected_voxels_come_back_to_their_place():
    original = image()
    rec = from_nifti(original, 2.0)
    part = rec.replace({"bold": rec["bold"].isel(voxel=[3, 7])})
    back = part.to_nifti().get_fdata()
    i, j, k = (rec["bold"][a].values[7] for a in "ijk")
    np.testing.assert_array_equal(back[i, j, k], original.get_fdata()[i, j, k])
    assert np.count_nonzero(back.any(axis=3)) == 2


def test_saved_and_opened_is_the_same(tmp_path):
    rec = from_nifti(image(), 2.0, start=4.0)
    assert Recording.open(rec.save(tmp_path / "run.zarr")).load().identical(rec)
    assert rec.start == 4.0


def test_repetition_time_is_required_and_the_headers_claim_is_told():
    original = image()
    original.header.set_zooms((3, 3, 4, 2500))
    original.header.set_xyzt_units("mm", "msec")
    with pytest.raises(DataError, match=r"TR\) is nowhere.*header claims 2\.5 s.*not trusted"):
        Recording.from_nifti(original)


@pytest.mark.parametrize(
    ("seconds", "match"),
    [(2000, "looks like milliseconds"), (0, "positive"), (np.nan, "positive"), (True, "positive")],
)
def test_implausible_repetition_times(seconds, match):
    with pytest.raises(DataError, match=match):
        check_repetition_time(seconds)


@pytest.mark.parametrize(
    ("shape", "match"),
    [((4, 3, 2), "One volume is no time series"), ((4, 3, 2, 1, 5), r"expected \(x, y, z, time\)")],
)
def test_other_dimensions_are_refused(shape, match):
    with pytest.raises(DataError, match=match):
        from_nifti(image(shape), 2.0)


def test_nan_outside_of_the_brain_asks_for_a_mask():
    original = image()
    original.get_fdata()[:, :, 0] = np.nan
    holes = nibabel.Nifti1Image(original.get_fdata(), AFFINE)
    with pytest.raises(DataError, match=r"12 of 24 voxels hold NaN.*12 of them in every.*mask="):
        from_nifti(holes, 2.0)
    rec = from_nifti(holes, 2.0, mask=np.isfinite(holes.get_fdata()).all(axis=3))
    assert rec["bold"].sizes["voxel"] == 12


def test_masks_that_do_not_fit():
    original = image()
    with pytest.raises(DataError, match="mask is empty: none of its 24 voxels"):
        from_nifti(original, 2.0, mask=np.zeros((4, 3, 2)))
    with pytest.raises(DataError, match=r"another grid: shape \(5, 3, 2\)"):
        from_nifti(original, 2.0, mask=nibabel.Nifti1Image(np.ones((5, 3, 2)), AFFINE))
    with pytest.raises(DataError, match="another grid"):
        from_nifti(original, 2.0, mask=nibabel.Nifti1Image(np.ones((4, 3, 2)), np.eye(4)))
    with pytest.raises(DataError, match=r"has shape \(2, 3\), the volumes \(4, 3, 2\)"):
        from_nifti(original, 2.0, mask=np.ones((2, 3)))
    with pytest.raises(DataError, match="mask holds 24 NaN"):
        from_nifti(original, 2.0, mask=np.full((4, 3, 2), np.nan))
    with pytest.raises(ReadError, match="There is no mask at"):
        from_nifti(original, 2.0, mask="nowhere.nii")


def test_what_has_no_grid_or_is_not_real():
    rec = Recording.from_array(np.ones((3, 2)), 0.5, stream="bold")
    with pytest.raises(DataError, match="parcels and surfaces do not"):
        to_nifti(rec)
    line = np.array([[1.0, 1, 1, 0], [0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 1]])
    flat = nibabel.Nifti1Image(np.ones((2, 2, 2, 3)), line)
    with pytest.raises(DataError, match="does not place voxels in space"):
        from_nifti(flat, 2.0)
    complex_values = nibabel.Nifti1Image(np.ones((2, 2, 2, 3), np.complex64), np.eye(4))
    with pytest.raises(DataError, match="complex64, not real"):
        from_nifti(complex_values, 2.0)

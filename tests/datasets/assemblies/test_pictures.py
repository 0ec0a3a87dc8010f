"""Pictures come as bytes in the order asked for, wherever they lie."""

import h5py
import numpy as np
import pytest
import scipy.io

from neurokit.datasets.assemblies.pictures import load_pictures
from neurokit.errors import DataError, ReadError, UnknownNameError

BRICK = np.random.default_rng(0).integers(0, 256, size=(5, 6, 4, 3), dtype=np.uint8)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("all.npy", BRICK)
    np.savez("all.npz", images=BRICK)
    with h5py.File("all.hdf5", "w") as file:
        file["imgBrick"] = BRICK
    return tmp_path


@pytest.mark.parametrize("place", ["all.npy#{}", "all.npz#images/{}", "all.hdf5#imgBrick/{}"])
def test_rows_of_arrays_in_any_order(folder, place):
    np.testing.assert_array_equal(
        load_pictures([place.format(i) for i in (3, 0, 3)]), BRICK[[3, 0, 3]]
    )


def test_image_files(folder):
    image = pytest.importorskip("PIL.Image")
    image.fromarray(BRICK[0]).save("colour.png")
    image.fromarray(BRICK[1, :, :, 0]).save("grey.png")
    clear = np.zeros((6, 4, 4), np.uint8)
    image.fromarray(clear).save("clear.png")
    loaded = load_pictures(["colour.png", "grey.png", "clear.png"])
    np.testing.assert_array_equal(loaded[0], BRICK[0])
    np.testing.assert_array_equal(loaded[1], np.repeat(BRICK[1, :, :, :1], 3, axis=2))
    assert (loaded[2] == 128).all()
    image.fromarray(BRICK[0, :3]).save("small.png")
    with pytest.raises(DataError, match=r"2 sizes.*Give size=\(height, width\)"):
        load_pictures(["colour.png", "small.png"])
    assert load_pictures(["colour.png", "small.png"], size=(8, 5)).shape == (2, 8, 5, 3)


def test_grey_arrays_of_matlab_are_scaled_together(folder):
    grey = np.stack([np.full((2, 2), v) for v in (-1.0, 0.0, 3.0)])
    scipy.io.savemat("Stimuli.mat", {"stimTrn": grey})
    loaded = load_pictures([f"Stimuli.mat#stimTrn/{i}" for i in range(3)])
    assert loaded[:, 0, 0, 0].tolist() == [0, 64, 255]


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("missing.png", "There is no picture missing.png"),
        ("all.npy#9", "holds 5 pictures; there is no row 9"),
        ("all.npy#x/y", "the row a number"),
        ("all.hdf5#images/0", "has no 'images', only"),
        ("all.txt#images/0", "expected .npy, .npz, .mat or .hdf5"),
        ("flat.npy#0", "expected pictures"),
    ],
)
def test_bad_places_are_named(folder, place, message):
    np.save("flat.npy", np.zeros((3, 2)))
    with pytest.raises(ReadError, match=message):
        load_pictures([place])


def test_damaged_pictures_are_named(folder):
    pytest.importorskip("PIL.Image")
    (folder / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(40))
    with pytest.raises(ReadError, match="bad.png: cannot be read as a picture"):
        load_pictures(["bad.png"])
    with pytest.raises(UnknownNameError, match="Did you mean 'images'"):
        load_pictures(["all.npz#image/0"])

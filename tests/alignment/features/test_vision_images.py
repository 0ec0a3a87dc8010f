"""Images of every kind become the same pixels; what is no image is refused with its place."""

import numpy as np
import pytest
import torch
import xarray as xr
from PIL import Image

from neurokit.alignment.features.vision_images import read_images
from neurokit.alignment.features.vision_preprocessing import CENTRED, IMAGENET, Preprocessing
from neurokit.errors import DataError, ReadError

RNG = np.random.default_rng(0)
COLOUR = RNG.integers(0, 256, (3, 20, 16, 3)).astype(np.uint8)


def test_arrays_lists_pil_and_files_are_the_same_images(tmp_path):
    paths = []
    for place, image in enumerate(COLOUR):
        paths.append(tmp_path / f"{place}.png")
        Image.fromarray(image).save(paths[-1])
    labelled = xr.DataArray(COLOUR, dims=("presentation", "row", "column", "rgb"))
    for given in (COLOUR, list(COLOUR), [Image.fromarray(i) for i in COLOUR], paths,
                  [str(p) for p in paths], labelled, (i for i in COLOUR)):  # fmt: skip
        np.testing.assert_array_equal(np.stack(read_images(given)), COLOUR)


def test_grey_counts_for_all_colours():
    grey = COLOUR[..., 0]
    for given in (grey, grey[..., None], [Image.fromarray(g) for g in grey]):
        read = np.stack(read_images(given))
        assert (read == grey[..., None]).all()


def test_transparent_pixels_show_grey(tmp_path):
    alpha = np.full((20, 16, 1), 255, np.uint8)
    alpha[:10] = 0
    alpha[10:15] = 51
    image = np.concatenate([COLOUR[0], alpha], axis=-1)
    Image.fromarray(image).save(tmp_path / "cut.png")
    for given in ([image], image[None], [tmp_path / "cut.png"]):
        (read,) = read_images(given)
        assert (read[:10] == 128).all()
        np.testing.assert_array_equal(read[15:], COLOUR[0][15:])
        expected = COLOUR[0][10:15] * 0.2 + 128 * 0.8
        assert np.abs(read[10:15] - expected).max() <= 0.51


def test_palette_with_a_transparent_colour(tmp_path):
    image = Image.fromarray(COLOUR[0]).quantize(8)
    image.info["transparency"] = image.getpixel((0, 0))
    image.save(tmp_path / "palette.png", transparency=image.getpixel((0, 0)))
    (read,) = read_images([tmp_path / "palette.png"])
    assert (read[0, 0] == 128).all()


def test_photographs_are_turned_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held turned by 90 degrees
    Image.fromarray(COLOUR[0]).save(tmp_path / "turned.png", exif=exif)
    (read,) = read_images([tmp_path / "turned.png"])
    np.testing.assert_array_equal(read, np.rot90(COLOUR[0], -1))


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (COLOUR / 255.0, r"float64 from 0 to 1\. Try \(images \* 255\.0\)\.round"),
        (COLOUR.astype(float), r"float64 from 0 to 255\. Try images\.round"),
        (COLOUR.astype(np.int16) - 200, r"int16 from -200 to 55\. Try np\.interp"),
        ([COLOUR[0], COLOUR[1] / 255], "Expected image 1 of uint8"),
        (COLOUR[0], r"got \(20, 16, 3\)\. One image is images\[None\]"),
        (np.zeros((2, 3, 4, 5, 3), np.uint8), r"got \(2, 3, 4, 5, 3\)"),
        (np.zeros((2, 3, 20, 16), np.uint8), r"got \(3, 20, 16\).*transpose\(1, 2, 0\)"),
        (np.zeros((0, 4, 4, 3), np.uint8), "at least one"),
        ([], "There are no images"),
        ("cat.png", r"one path; expected a list"),
        (7, "of type int, expected an array"),
        ([["a"]], "Expected image 0 of uint8 from 0 to 255; got <U1"),
    ],
)  # fmt: skip
def test_what_is_no_image_is_refused(images, message):
    with pytest.raises(DataError, match=message):
        read_images(images)


def test_deep_images_are_refused():
    with pytest.raises(DataError, match="more than 8 bits"):
        read_images([Image.fromarray(np.zeros((4, 4), np.uint16))])


def test_files_that_are_no_images(tmp_path):
    (tmp_path / "cat.png").write_bytes(b"no image at all")
    Image.fromarray(COLOUR[0]).save(tmp_path / "half.png")
    whole = (tmp_path / "half.png").read_bytes()
    (tmp_path / "half.png").write_bytes(whole[: len(whole) // 2])
    for name in ("cat.png", "half.png"):
        with pytest.raises(ReadError, match=f"{name} cannot be read as an image"):
            read_images([tmp_path / name])
    with pytest.raises(ReadError, match=r"There is no image file .*dog\.png"):
        read_images([tmp_path / "dog.png"])


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
@pytest.mark.parametrize("size", [(13, 9), (33, 47)])
def test_scaling_is_that_of_pil(interpolation, size):
    rule = Preprocessing(size=size, mean=(0,) * 3, std=(1 / 255,) * 3, interpolation=interpolation)
    smooth = np.stack([np.asarray(Image.fromarray(i[:4, :4]).resize((64, 48), 3)) for i in COLOUR])
    ours = rule(list(smooth)).permute(0, 2, 3, 1).numpy()
    kind = {"bilinear": 2, "bicubic": 3}[interpolation]
    for mine, image in zip(ours, smooth, strict=True):
        theirs = np.asarray(Image.fromarray(image).resize(size[::-1], kind))
        assert np.abs(mine - theirs).max() <= 2  # PIL rounds after each of its two passes


def test_the_middle_is_cut_out():
    image = np.zeros((40, 80, 3), np.uint8)
    image[10:30, 30:50] = 255
    rule = Preprocessing(size=20, resize=40, mean=(0,) * 3, std=(1,) * 3)
    assert (rule([image]) == 1).all()


def test_mean_and_spread_are_those_of_imagenet():
    image = np.full((4, 4, 3), 255, np.uint8)
    expected = (1 - np.array([0.485, 0.456, 0.406])) / [0.229, 0.224, 0.225]
    np.testing.assert_allclose(IMAGENET([image])[0, :, 5, 5], expected, rtol=1e-6)
    np.testing.assert_allclose(CENTRED([image])[0, :, 5, 5], 1.0, rtol=1e-6)


def test_images_of_many_sizes_make_one_batch():
    rule = Preprocessing(size=8)
    many = [COLOUR[0], COLOUR[1][:9]]
    batch = rule(many)
    assert torch.equal(batch[:1], rule(many[:1]))
    assert torch.equal(batch[1:], rule(many[1:]))
    with pytest.raises(DataError, match=r"one size; got 2, such as \(9, 16\) and \(20, 16\)"):
        Preprocessing(size=None)(many)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"size": 0}, r"size \(pixels\) is 0"),
        ({"size": 224, "resize": 200}, "Cannot cut 224 pixels .* scaled to 200"),
        ({"size": None, "resize": 200}, "Cannot cut None"),
        ({"std": (1.0, 0.0, 1.0)}, "std is 0"),
        ({"mean": (0.5,)}, "red, green and blue"),
        ({"interpolation": "lanczos"}, "expected one of"),
    ],
)
def test_settings_that_cannot_be(settings, message):
    with pytest.raises(DataError, match=message):
        Preprocessing(**settings)


def test_one_image_is_not_taken_for_many():
    with pytest.raises(DataError, match=r"One image is images\[None\]"):
        read_images(np.zeros((8, 6, 3), np.uint8))
    with pytest.raises(DataError, match="presentation first"):
        read_images(xr.DataArray(np.zeros((3, 8, 8), np.uint8), dims=("c", "y", "presentation")))
    with pytest.raises(DataError, match="not finite"):
        read_images(np.full((1, 8, 8), np.nan))

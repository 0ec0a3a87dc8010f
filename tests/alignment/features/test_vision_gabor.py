"""The Gabor pyramid measures what its coordinates say."""

import numpy as np
import pytest
import torch

from neurokit.alignment.features.gabor import GaborPyramid
from neurokit.alignment.features.vision_models import vision
from neurokit.errors import DataError


def gratings(frequency, angle, phases, size=128):
    """Draw gratings of `frequency` cycles per image, bars at `angle` degrees from vertical."""
    y, x = np.mgrid[:size, :size] / size
    along = np.cos(np.deg2rad(angle)) * x + np.sin(np.deg2rad(angle)) * y
    waves = np.cos(2 * np.pi * frequency * along + np.asarray(phases)[:, None, None])
    return np.repeat(((waves + 1) * 127.5).round().astype(np.uint8)[..., None], 3, axis=-1)


def test_features_number_as_in_the_paper():
    x = vision(gratings(8, 0, [0]), "gabor", "pyramid", cache=False)
    assert x.shape == (1, 10921)
    assert x.name is None or x.dtype == np.float32
    counts = x.groupby("frequency").count().sizes
    assert counts["frequency"] == 7
    assert (x.frequency == 32).sum() == 8 * 32**2


@pytest.mark.parametrize("frequency", [4, 8, 16])
@pytest.mark.parametrize("angle", [0.0, 45.0, 112.5])
def test_a_grating_excites_its_frequency_and_orientation(frequency, angle):
    x = vision(gratings(frequency, angle, [0.3]), "gabor", "pyramid", cache=False)
    energy = x[0, x.frequency.values > 0]
    mean = energy.to_series().groupby([energy.frequency.values, energy.orientation.values]).mean()
    assert mean.idxmax() == (frequency, angle)


def test_energy_does_not_depend_on_phase():
    x = vision(gratings(8, 22.5, np.arange(8) * np.pi / 4), "gabor", "pyramid", cache=False)
    best = x[:, (x.frequency == 8).values & (x.orientation == 22.5).values]
    middle = best[:, (abs(best.row - 0.5) < 0.3).values & (abs(best.column - 0.5) < 0.3).values]
    assert float(middle.std("presentation").max() / middle.mean()) < 0.02


def test_features_know_their_place():
    image = np.full((1, 128, 128, 3), 128, np.uint8)
    image[0, 96:, :32] = gratings(16, 0, [0])[0, 96:, :32]
    x = vision(image, "gabor", "pyramid", cache=False)
    fine = x[0, (x.frequency == 16).values & (x.orientation == 0).values]
    strongest = fine[int(fine.values.argmax())]
    assert strongest.row > 0.75
    assert strongest.column < 0.25


def test_a_filter_is_the_one_written_down():
    """Compare with the formula, pixel by pixel, away from edges."""
    rng = np.random.default_rng(0)
    image = torch.from_numpy(rng.random((1, 3, 64, 64))).float()
    pyramid = GaborPyramid([8], n_orientations=4)
    light = np.einsum("cij,c->ij", image[0].numpy(), [0.299, 0.587, 0.114])
    light = light - light.mean()
    y, x = (np.mgrid[:64, :64] + 0.5) / 64
    place, angle = (3.5 / 8, 4.5 / 8), np.deg2rad(45)
    s = np.sqrt(np.log(2) / 2) / np.pi * 3 / 8
    r2 = (y - place[0]) ** 2 + (x - place[1]) ** 2
    envelope = np.exp(-r2 / (2 * s**2))
    envelope /= np.linalg.norm(envelope)
    phase = 2 * np.pi * 8 * (np.cos(angle) * (x - place[1]) + np.sin(angle) * (y - place[0]))
    expected = np.hypot((light * envelope * np.cos(phase)).sum(),
                        (light * envelope * np.sin(phase)).sum())  # fmt: skip
    labels = pyramid.coordinates()
    here = (
        (labels["orientation"] == 45)
        & np.isclose(labels["row"], place[0])
        & np.isclose(labels["column"], place[1])
    )
    assert float(pyramid(image)[0, here]) == pytest.approx(expected, rel=1e-4)


def test_an_even_image_has_lightness_alone():
    x = vision(np.full((1, 40, 30, 3), 51, np.uint8), "gabor", "pyramid", cache=False)
    assert float(x[0, -1]) == pytest.approx(0.2)
    assert float(abs(x[0, :-1]).max()) < 1e-4


def test_bad_settings():
    with pytest.raises(DataError, match="at least one frequency"):
        GaborPyramid([])
    with pytest.raises(DataError, match=r"frequency \(cycles per image\) is 0"):
        GaborPyramid([0])
    with pytest.raises(DataError, match="at least 32 pixels a side; got 16 by 40"):
        GaborPyramid([8])(torch.zeros(1, 3, 16, 40))

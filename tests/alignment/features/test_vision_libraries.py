"""Networks of transformers, timm and torchvision, as far as they are installed."""

import shutil

import numpy as np
import pytest
import torch
from PIL import Image

from neurokit.alignment.features.vision_models import vision
from neurokit.errors import DownloadError, ReadError, UnknownNameError

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (4, 40, 50, 3)).astype(np.uint8)


def library(name):
    """Import a library that may be missing, or built for another torch."""
    try:
        return __import__(name)
    except (ImportError, RuntimeError) as error:
        pytest.skip(f"{name} cannot be imported: {error}")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Save a tiny vision transformer with its processor."""
    transformers = pytest.importorskip("transformers")
    path = tmp_path_factory.mktemp("vit")
    torch.manual_seed(0)
    config = transformers.ViTConfig(
        hidden_size=16, num_hidden_layers=3, num_attention_heads=2, intermediate_size=32,
        image_size=32, patch_size=8,
    )  # fmt: skip
    transformers.ViTModel(config).save_pretrained(path)
    from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil

    ViTImageProcessorPil(size={"height": 32, "width": 32}).save_pretrained(path)
    return path


def test_a_transformer_gives_its_hidden_states(folder):
    import transformers

    x = vision(IMAGES, folder, cache=False)
    assert list(x) == ["embeddings", "layers.0", "layers.1", "layers.2", "layernorm", "pooler"]
    model = transformers.ViTModel.from_pretrained(folder).eval()
    small = [np.asarray(Image.fromarray(i).resize((32, 32), 2)) for i in IMAGES]
    pixels = torch.tensor(np.stack(small)).permute(0, 3, 1, 2) / 127.5 - 1
    with torch.no_grad():
        out = model(pixels, output_hidden_states=True)
    for name, expected in zip(list(x)[:3], out.hidden_states, strict=False):
        np.testing.assert_allclose(x[name], expected.flatten(1), atol=1e-5)
    np.testing.assert_allclose(x["layernorm"], out.last_hidden_state.flatten(1), atol=1e-5)
    pooled = vision(IMAGES, folder, "layernorm", pool="mean", cache=False)
    np.testing.assert_allclose(pooled, out.last_hidden_state.mean(1), atol=1e-5)


def test_the_twin_of_a_transformer_is_random(folder):
    trained = vision(IMAGES, f"transformers:{folder}", "layernorm", cache=False)
    twin = vision(IMAGES, folder, "layernorm", untrained=True, seed=1, cache=False)
    again = vision(IMAGES, folder, "layernorm", untrained=True, seed=1, cache=False)
    assert twin.attrs["weights"] == again.attrs["weights"] != trained.attrs["weights"]
    np.testing.assert_array_equal(twin, again)


def test_weights_that_are_missing_are_not_drawn_in_silence(folder, tmp_path):
    from safetensors.torch import load_file, save_file

    shutil.copytree(folder, tmp_path / "vit")
    state = load_file(folder / "model.safetensors")
    headless = {name: tensor for name, tensor in state.items() if "pooler" not in name}
    save_file(headless, tmp_path / "vit" / "model.safetensors", metadata={"format": "pt"})
    assert list(vision(IMAGES, tmp_path / "vit", cache=False))[-1] == "layernorm"
    lost = next(name for name in headless if "layers.1" in name or "layer.1" in name)
    save_file({n: t for n, t in headless.items() if n != lost},
              tmp_path / "vit" / "model.safetensors", metadata={"format": "pt"})  # fmt: skip
    with pytest.raises(ReadError, match="do not fit ViTModel: 1 are missing"):
        vision(IMAGES, tmp_path / "vit", cache=False)


def test_a_transformer_is_kept(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("NEUROKIT_DATA", str(tmp_path))
    x = vision(IMAGES, folder, "layernorm")
    assert list(tmp_path.rglob("*.safetensors"))
    np.testing.assert_array_equal(vision(IMAGES, folder, "layernorm"), x)


def test_torchvision_networks():
    models = library("torchvision").models
    x = vision(IMAGES, "torchvision:resnet18", untrained=True, seed=0, cache=False, pool="mean")
    assert list(x)[-2:] == ["avgpool", "fc"]
    assert {"layer1.0", "layer4.1"} <= set(x)
    torch.manual_seed(0)
    model = models.resnet18(weights=None).eval()
    preset = models.ResNet18_Weights.DEFAULT.transforms()
    with torch.no_grad():
        expected = model(torch.stack([preset(Image.fromarray(i)) for i in IMAGES]))
    assert np.corrcoef(x["fc"].values.ravel(), expected.numpy().ravel())[0, 1] > 0.999
    with pytest.raises(UnknownNameError, match="torchvision model 'resnet19'.*resnet1"):
        vision(IMAGES, "torchvision:resnet19", untrained=True, cache=False)


def test_timm_networks():
    timm = library("timm")
    x = vision(IMAGES, "timm:vit_tiny_patch16_224", untrained=True, cache=False)
    assert [n for n in x if n.startswith("blocks")] == [f"blocks.{k}" for k in range(12)]
    assert x["blocks.3"].attrs["shape"] == [197, 192]
    model = timm.create_model("vit_tiny_patch16_224", pretrained=False)
    config = timm.data.resolve_model_data_config(model)
    transform = timm.data.create_transform(**config)
    (image,) = vision(IMAGES[:1], "timm:vit_tiny_patch16_224", "norm", untrained=True, cache=False)
    torch.manual_seed(0)
    model = timm.create_model("vit_tiny_patch16_224", pretrained=False).eval()
    with torch.no_grad():
        expected = model.forward_features(transform(Image.fromarray(IMAGES[0]))[None])
    assert np.corrcoef(image.values, expected.numpy().ravel())[0, 1] > 0.999
    swin = vision(IMAGES, "timm:swin_tiny_patch4_window7_224", untrained=True, cache=False,
                  pool="mean")  # fmt: skip
    assert swin["layers.3"].shape == (4, 768)
    with pytest.raises(UnknownNameError, match="timm model 'resnet_18'.*resnet18"):
        vision(IMAGES, "timm:resnet_18", cache=False)


def test_weights_that_cannot_be_fetched(tmp_path, monkeypatch):
    pytest.importorskip("transformers")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(
        DownloadError, match="Cannot fetch the model 'nobody/no-model'.*hf download"
    ):
        vision(IMAGES, "nobody/no-model", cache=False)

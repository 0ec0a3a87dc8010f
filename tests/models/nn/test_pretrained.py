"""Saved models come back as they were, or not at all."""

import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from neurokit.errors import DataError, ReadError
from neurokit.models import SUMA, FuturePredictor, FuturePredictorConfig, SUMAConfig

MODELS = {
    "suma": (
        SUMA,
        SUMAConfig(60, 32, 4, n_selected=16, decoder_blocks=1, decoder_heads=2, decoder_hidden=24),
    ),
    "lstm": (FuturePredictor, FuturePredictorConfig(9, 8)),
    "ctrnn": (FuturePredictor, FuturePredictorConfig(9, 8, "ctrnn", time_constant=3.0)),
}


@pytest.fixture(params=MODELS)
def model(request):
    cls, config = MODELS[request.param]
    model = cls(config)
    with torch.no_grad():
        for p in model.parameters():
            p += 0.1 * torch.randn(p.shape, generator=torch.Generator().manual_seed(1))
    return model.eval()


def out(model):
    if isinstance(model, SUMA):
        return model(torch.tensor([[3, 1, 4, 1, 5]]))
    return model.rollout(torch.linspace(0, 1, 180).view(2, 10, 9))


def test_a_model_comes_back_as_it_was(model, tmp_path):
    if isinstance(model, SUMA):
        model.select(np.arange(16) * 4)
    model.save_pretrained(tmp_path / "kept")
    again = type(model).from_pretrained(tmp_path / "kept")
    assert again.config == model.config
    assert not again.training
    assert torch.equal(out(again), out(model))
    assert [p.requires_grad for p in again.parameters()] == [
        p.requires_grad for p in model.parameters()
    ]
    names = {path.name for path in (tmp_path / "kept").iterdir()}
    assert names == {"config.json", "model.safetensors"}


def test_missing_unexpected_and_misshapen_weights_are_named(model, tmp_path):
    model.save_pretrained(tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    first, second, *_ = sorted(name for name in weights if weights[name].ndim == 2)
    weights["extra"] = weights.pop(first)
    weights[second] = weights[second][:1].clone()
    save_file(weights, tmp_path / "model.safetensors")
    message = rf"missing: {first}; unexpected: extra; of another shape: {second} \(1, "
    with pytest.raises(ReadError, match=message):
        type(model).from_pretrained(tmp_path)


def rewrite(folder, change):
    path = folder / "config.json"
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def test_configurations_are_strict(tmp_path):
    SUMA(SUMAConfig(60, 32, 4)).save_pretrained(tmp_path)
    with pytest.raises(ReadError, match="holds a SUMA, not a FuturePredictor"):
        FuturePredictor.from_pretrained(tmp_path)
    rewrite(tmp_path, lambda c: c["config"].update(n_head=3))
    with pytest.raises(ReadError, match="Unknown setting 'n_head'.*Did you mean 'n_heads'"):
        SUMA.from_pretrained(tmp_path)
    rewrite(tmp_path, lambda c: c["config"].pop("n_head"))
    rewrite(tmp_path, lambda c: c["config"].update(n_heads=5))
    with pytest.raises(DataError, match="width 32 does not divide into 5 heads"):
        SUMA.from_pretrained(tmp_path)
    (tmp_path / "config.json").write_text("[]")
    with pytest.raises(ReadError, match="is not a model's configuration"):
        SUMA.from_pretrained(tmp_path)


def test_folders_without_a_model_say_so(tmp_path):
    with pytest.raises(ReadError, match=r"no config.json in .*save_pretrained"):
        SUMA.from_pretrained(tmp_path)
    SUMA(SUMAConfig(60, 32, 4)).save_pretrained(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"broken")
    with pytest.raises(ReadError, match=r"model.safetensors cannot be read"):
        SUMA.from_pretrained(tmp_path)
    (tmp_path / "model.safetensors").unlink()
    with pytest.raises(ReadError, match=r"no model.safetensors"):
        SUMA.from_pretrained(tmp_path)


def test_a_config_of_another_model_is_refused():
    with pytest.raises(DataError, match="expected a SUMAConfig"):
        SUMA(FuturePredictorConfig(4))

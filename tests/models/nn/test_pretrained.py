"""Saved models come back as they were, or not at all."""

import hashlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from neurokit.errors import DataError, ReadError, UnknownNameError
from neurokit.models import SUMA, FuturePredictor, FuturePredictorConfig, SUMAConfig
from neurokit.models.nn import Pretrained

DECODER = {"n_selected": 16, "decoder_blocks": 1, "decoder_heads": 2, "decoder_hidden": 24}
MODELS = {
    "suma": (SUMA, SUMAConfig(60, 32, 4, **DECODER)),
    "encoder": (SUMA, SUMAConfig(60, 32, 4)),
    "lstm": (FuturePredictor, FuturePredictorConfig(9, 8)),
    "ctrnn": (FuturePredictor, FuturePredictorConfig(9, 8, "ctrnn", time_constant=3.0)),
}
FILES = {"config.json", "environment.json", "golden.safetensors", "model.safetensors"}


@dataclass(frozen=True)
class TiedConfig:
    widths: tuple[int, ...] = (4, 4)


class Tied(Pretrained):
    """Two layers with one weight, dropout, and a count."""

    config_class = TiedConfig

    def __init__(self, config):
        super().__init__(config)
        self.first = nn.Linear(*config.widths)
        self.second = nn.Linear(*config.widths)
        self.second.weight = self.first.weight
        self.drop = nn.Dropout(0.5)
        self.register_buffer("count", torch.tensor(3))

    def example(self):
        return {"x": torch.linspace(-1, 1, 8).view(2, 4)}

    def represent(self, batch):
        return self.second(self.drop(self.first(batch["x"]))) * self.count


def changed(model, seed=1):
    with torch.no_grad():
        for p in model.parameters():
            p += 0.1 * torch.randn(p.shape, generator=torch.Generator().manual_seed(seed))
    return model.eval()


@pytest.fixture(params=MODELS)
def model(request):
    cls, config = MODELS[request.param]
    return changed(cls(config))


def out(model):
    if isinstance(model, FuturePredictor):
        return model.rollout(torch.linspace(0, 1, 180).view(2, 10, 9))
    ids = torch.tensor([[3, 1, 4, 1, 5]])
    return model(ids) if model.config.decoder_blocks else torch.from_numpy(model.units(ids))


def rewrite(folder, change):
    path = folder / "config.json"
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def rehash(folder):
    """Let the configuration vouch for the files as they now are."""
    for name in ("model.safetensors", "golden.safetensors"):
        digest = hashlib.sha256((folder / name).read_bytes()).hexdigest()
        rewrite(folder, lambda c, name=name, digest=digest: c["files"].update({name: digest}))


def test_a_model_comes_back_as_it_was(model, tmp_path):
    if isinstance(model, SUMA) and model.config.decoder_blocks:
        model.select(np.arange(16) * 4)
    model.save_pretrained(tmp_path / "kept")
    again = type(model).from_pretrained(tmp_path / "kept")
    assert again.config == model.config
    assert not again.training
    assert torch.equal(out(again), out(model))
    assert [p.requires_grad for p in again.parameters()] == [
        p.requires_grad for p in model.parameters()
    ]
    assert {path.name for path in (tmp_path / "kept").iterdir()} == FILES


def test_golden_is_what_the_model_answers(model, tmp_path):
    model.save_pretrained(tmp_path)
    golden = load_file(tmp_path / "golden.safetensors")
    with torch.no_grad():
        expected = model.respond(model.example())
    torch.testing.assert_close(golden["output"], expected)
    assert float(expected.std()) > 0


def test_the_card_and_where_it_was_made(tmp_path):
    Tied(TiedConfig()).save_pretrained(tmp_path, card="# Tied\n\nμ\n")
    assert (tmp_path / "README.md").read_text(encoding="utf-8") == "# Tied\n\nμ\n"
    facts = (tmp_path / "environment.json").read_text()
    assert {"neurokit", "revision", "python", "packages"} <= set(json.loads(facts))
    assert str(Path.home()) not in facts
    Tied(TiedConfig()).save_pretrained(tmp_path)
    assert (tmp_path / "README.md").exists()


def test_missing_unexpected_and_misshapen_weights_are_named(model, tmp_path):
    model.save_pretrained(tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    first, second, *_ = sorted(name for name in weights if weights[name].ndim == 2)
    weights["extra"] = weights.pop(first)
    weights[second] = weights[second][:1].clone()
    save_file(weights, tmp_path / "model.safetensors")
    rehash(tmp_path)
    message = rf"missing: {first}; unexpected: extra; of another shape: {second} \(1, "
    with pytest.raises(ReadError, match=message):
        type(model).from_pretrained(tmp_path)


def test_whole_numbers_do_not_pass_for_weights(tmp_path):
    Tied(TiedConfig()).save_pretrained(tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    weights["first.bias"] = weights["first.bias"].long()
    save_file(weights, tmp_path / "model.safetensors")
    rehash(tmp_path)
    with pytest.raises(ReadError, match=r"of another kind: first.bias torch.int64"):
        Tied.from_pretrained(tmp_path)


def test_other_weights_than_those_saved_are_found_out(model, tmp_path):
    model.save_pretrained(tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    name = max(weights, key=lambda key: weights[key].is_floating_point() * weights[key].numel())
    save_file({**weights, name: weights[name] * 1.5}, tmp_path / "model.safetensors")
    with pytest.raises(ReadError, match=r"model.safetensors is not the file that its config.json"):
        type(model).from_pretrained(tmp_path)
    rehash(tmp_path)
    with pytest.raises(ReadError, match=r"does not answer .* \(output differs by up to"):
        type(model).from_pretrained(tmp_path)


def test_small_answers_are_compared_too(tmp_path):
    model = changed(Tied(TiedConfig()))
    model.count.fill_(1)
    with torch.no_grad():
        for p in model.parameters():
            p *= 1e-4
    model.save_pretrained(tmp_path)
    assert float(model.represent(model.example()).detach().abs().max()) < 1e-4
    weights = load_file(tmp_path / "model.safetensors")
    weights["second.bias"] *= 1.01
    save_file(weights, tmp_path / "model.safetensors")
    rehash(tmp_path)
    with pytest.raises(ReadError, match="does not answer"):
        Tied.from_pretrained(tmp_path)


def test_settings_that_make_no_model_are_an_error_of_the_file(tmp_path):
    Tied(TiedConfig()).save_pretrained(tmp_path)
    rewrite(tmp_path, lambda c: c["config"].update(widths=[4, -4]))
    with pytest.raises(ReadError, match=r"settings in .*config.json make no model"):
        Tied.from_pretrained(tmp_path)
    rewrite(tmp_path, lambda c: c["config"].update(widths=[4, 10**15]))
    with pytest.raises(ReadError, match=r"settings in .*config.json make no model"):
        Tied.from_pretrained(tmp_path)


def test_a_model_that_computes_something_else_is_found_out(tmp_path, monkeypatch):
    Tied(TiedConfig()).save_pretrained(tmp_path)
    old = Tied.represent
    monkeypatch.setattr(Tied, "represent", lambda self, batch: old(self, batch)[:1])
    with pytest.raises(ReadError, match=r"output shape \(1, 4\), stored \(2, 4\)"):
        Tied.from_pretrained(tmp_path)
    monkeypatch.setattr(Tied, "represent", lambda self, batch: old(self, {"x": batch["y"]}))
    with pytest.raises(ReadError, match=r"golden.safetensors cannot be answered: KeyError\('y'\)"):
        Tied.from_pretrained(tmp_path)


def test_damaged_files_are_told_from_missing_ones(tmp_path):
    Tied(TiedConfig()).save_pretrained(tmp_path)
    for name in ("model.safetensors", "golden.safetensors"):
        path = tmp_path / name
        whole = path.read_bytes()
        for broken in (whole[: len(whole) // 2], whole[:-1], b"", b"broken", b"\xff" * 64):
            path.write_bytes(broken)
            with pytest.raises(ReadError, match=rf"{name} cannot be read"):
                Tied.from_pretrained(tmp_path)
        path.unlink()
        with pytest.raises(ReadError, match=f"no {name} in .*Copy the whole folder"):
            Tied.from_pretrained(tmp_path)
        path.write_bytes(whole)
    Tied.from_pretrained(tmp_path)


def test_configurations_are_strict(tmp_path):
    SUMA(SUMAConfig(60, 32, 4)).save_pretrained(tmp_path)
    with pytest.raises(ReadError, match="holds a SUMA, not a FuturePredictor"):
        FuturePredictor.from_pretrained(tmp_path)
    rewrite(tmp_path, lambda c: c["config"].update(n_head=3))
    with pytest.raises(ReadError, match=r"Unknown setting 'n_head'.*Did you mean 'n_heads'"):
        SUMA.from_pretrained(tmp_path)
    rewrite(tmp_path, lambda c: c["config"].pop("n_head"))
    rewrite(tmp_path, lambda c: c["config"].update(n_heads=5))
    with pytest.raises(ReadError, match="width 32 does not divide into 5 heads"):
        SUMA.from_pretrained(tmp_path)
    for broken in ("[]", "{", '{"model": "SUMA"}', "[" * 100_000, '{"model": 1, "config": 2}'):
        (tmp_path / "config.json").write_text(broken)
        with pytest.raises(ReadError, match="is not a model's configuration"):
            SUMA.from_pretrained(tmp_path)


def test_folders_without_a_model_say_so(tmp_path):
    with pytest.raises(ReadError, match=r"no config.json in .*save_pretrained"):
        SUMA.from_pretrained(tmp_path)
    with pytest.raises(UnknownNameError, match="Unknown folder or checkpoint 'nowhere'"):
        SUMA.from_pretrained("nowhere")


def test_a_name_on_the_shelf_is_found(tmp_path, monkeypatch):
    monkeypatch.setenv("NEUROKIT_CATALOG", str(tmp_path))
    place = tmp_path / "models" / "tied-small"
    changed(Tied(TiedConfig())).save_pretrained(place)
    (place / "tied-small.toml").write_text("kind = 'pretrain'\n")
    assert Tied.from_pretrained("tied-small").config == TiedConfig()
    with pytest.raises(UnknownNameError, match="Did you mean 'tied-small'"):
        Tied.from_pretrained("tied-smal")


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
def test_precision_and_shared_weights_come_back(dtype, tmp_path):
    model = changed(Tied(TiedConfig())).to(dtype)
    model.save_pretrained(tmp_path)
    again = Tied.from_pretrained(tmp_path)
    assert again.second.weight is again.first.weight
    for name, tensor in model.state_dict().items():
        assert again.state_dict()[name].dtype == tensor.dtype
        assert torch.equal(again.state_dict()[name], tensor)
    assert load_file(tmp_path / "golden.safetensors")["output"].dtype == torch.float32


def test_saving_and_loading_disturb_nothing(tmp_path):
    model = Tied(TiedConfig()).train()
    model.first.eval()
    state = torch.get_rng_state()
    model.save_pretrained(tmp_path)
    Tied.from_pretrained(tmp_path)
    assert torch.equal(torch.get_rng_state(), state)
    assert (model.training, model.first.training) == (True, False)


@pytest.mark.parametrize("moves", range(6))
def test_an_interrupted_overwriting_is_old_or_new_or_refused(moves, tmp_path, monkeypatch):
    place = tmp_path / "model"
    old, new = changed(Tied(TiedConfig()), 1), changed(Tied(TiedConfig()), 2)
    old.save_pretrained(place, card="old")
    before = {path.name: path.read_bytes() for path in place.iterdir()}
    done, move = [], Path.replace

    def killed(self, target):
        if len(done) == moves:
            raise KeyboardInterrupt
        done.append(target.name)
        return move(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", killed)
        try:
            new.save_pretrained(place, card="new")
        except KeyboardInterrupt:
            assert moves < 5
    assert {path.name for path in place.iterdir()} == {*FILES, "README.md"}
    if moves in (0, 5):
        weight = Tied.from_pretrained(place).first.weight
        assert torch.equal(weight, (old if moves == 0 else new).first.weight)
    elif moves > 1:
        with pytest.raises(ReadError, match=r"an overwriting of the folder was interrupted"):
            Tied.from_pretrained(place)
    assert moves or before == {path.name: path.read_bytes() for path in place.iterdir()}


def test_a_full_disk_leaves_the_old_model(tmp_path, monkeypatch):
    place = tmp_path / "model"
    old = changed(Tied(TiedConfig()))
    old.save_pretrained(place)

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("safetensors.torch.save_file", full)
    with pytest.raises(OSError, match="No space left"):
        changed(Tied(TiedConfig()), 2).save_pretrained(place)
    assert torch.equal(Tied.from_pretrained(place).first.weight, old.first.weight)
    assert {path.name for path in place.iterdir()} == FILES


def test_a_folder_may_be_moved(tmp_path):
    changed(Tied(TiedConfig())).save_pretrained(tmp_path / "a")
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    shutil.rmtree(tmp_path / "a")
    assert Tied.from_pretrained(tmp_path / "b").config.widths == (4, 4)


def test_what_cannot_be_saved_says_so(tmp_path):
    model = Tied(TiedConfig())
    model.extra = nn.Linear(2, 2)
    with pytest.raises(ReadError, match=r"own weights do not fit .* unexpected: extra.bias"):
        model.save_pretrained(tmp_path / "model")
    assert not (tmp_path / "model").exists()
    with pytest.raises(DataError, match="expected a SUMAConfig"):
        SUMA(FuturePredictorConfig(4))

"""Classifiers: a head on any model, which saves itself with the model it stands on."""

import json
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from neurokit import models
from neurokit.errors import DataError, ReadError
from neurokit.models.nn import Classifier, Pretrained


@dataclass(frozen=True)
class ToyConfig:
    widths: tuple[int, ...] = (3, 5)
    flat: bool = False


class Toy(Pretrained):
    """One linear map a sample, with statistics that run in training."""

    config_class = ToyConfig

    def __init__(self, config):
        super().__init__(config)
        self.linear = nn.Linear(*config.widths)
        self.norm = nn.BatchNorm1d(config.widths[1])

    def example(self):
        return {"x": torch.linspace(-1, 1, 2 * 4 * 3).view(2, 4, 3)}

    def represent(self, batch):
        tokens = self.norm(self.linear(batch["x"]).transpose(1, 2)).transpose(1, 2)
        return tokens[:, 0] if self.config.flat else tokens

    def check(self, win):
        if win.sampling_rate != 100:
            raise DataError("Toys want 100 Hz.")


@pytest.fixture(autouse=True)
def offered(monkeypatch):
    monkeypatch.setattr(models, "Toy", Toy, raising=False)
    monkeypatch.setattr(models, "__all__", [*models.__all__, "Toy"])


def toy(**options):
    torch.manual_seed(0)
    return Toy(ToyConfig(**options))


def batch(n=64, length=4, seed=0):
    """Windows of two classes, told by the mean of the first channel."""
    generator = torch.Generator().manual_seed(seed)
    label = torch.randint(2, (n,), generator=generator)
    x = torch.randn(n, length, 3, generator=generator)
    x[..., 0] += 2 * label[:, None]
    return {"x": x, "label": label}


HEADS = [
    {"pool": "mean"},
    {"pool": "flatten", "hidden": 7, "activation": "gelu"},
    {"pool": "flatten", "hidden": (6, 4), "dropout": 0.1, "sigmoid": True, "seed": 3},
]


@pytest.mark.parametrize("options", HEADS)
def test_it_comes_back_with_its_backbone(options, tmp_path):
    model = Classifier(toy(), ["rest", "task", "β"], **options)
    model.loss(batch())["loss"].backward()
    with torch.no_grad():
        for p in model.parameters():
            p -= 0.1 * p.grad
    model.save_pretrained(tmp_path)
    again = Classifier.from_pretrained(tmp_path)
    assert again.config == model.config
    assert again.backbone.config == ToyConfig()
    assert again.config.classes == ("rest", "task", "β")
    assert torch.equal(again(batch()), model.eval()(batch()))
    assert torch.equal(again.respond(again.example()), again(toy().example()))


def test_scores_are_the_head_of_pooled_tokens():
    backbone = toy().eval()
    tokens = backbone.represent(batch())
    mean = Classifier(backbone, 2).eval()
    linear = mean.head[-1]
    torch.testing.assert_close(mean(batch()), linear(tokens.mean(1)))
    deep = Classifier(backbone, 2, pool="flatten", hidden=128).eval()
    assert [m.weight.shape for m in deep.head if isinstance(m, nn.Linear)] == [(128, 20), (2, 128)]
    hidden = deep.head[1](tokens.flatten(1)).relu()
    torch.testing.assert_close(deep(batch()), deep.head[-1](hidden))
    squashed = Classifier(backbone, 2, pool="flatten", hidden=128, sigmoid=True).eval()
    torch.testing.assert_close(squashed(batch()), deep(batch()).sigmoid())


@pytest.mark.parametrize("pool", ["mean", "flatten"])
def test_one_vector_a_window_needs_no_pooling(pool):
    model = Classifier(toy(flat=True), 2, pool=pool).eval()
    assert model.config.n_features == 5
    torch.testing.assert_close(model.represent(batch()), model.backbone.represent(batch()))


def test_the_loss_is_cross_entropy_in_nats():
    model, data = Classifier(toy(), 2).eval(), batch()
    scores = model(data)
    found = model.loss(data)
    torch.testing.assert_close(found["loss"], F.cross_entropy(scores, data["label"]))
    right = (scores.argmax(1) == data["label"]).float().mean()
    assert float(found["accuracy"]) == pytest.approx(float(right))


@pytest.mark.parametrize("frozen", [False, True])
def test_it_learns_and_what_is_frozen_stays(frozen):
    model = Classifier(toy(), 2)
    model.backbone.requires_grad_(not frozen)
    before = {k: v.clone() for k, v in model.backbone.state_dict().items()}
    optimizer = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=0.05)
    for seed in range(60):
        model.train()
        optimizer.zero_grad()
        model.loss(batch(seed=seed))["loss"].backward()
        optimizer.step()
    assert float(model.eval().loss(batch(500, seed=99))["accuracy"]) > 0.95
    same = [torch.equal(before[k], v) for k, v in model.backbone.state_dict().items()]
    assert all(same) if frozen else not any(same)


def test_making_one_disturbs_nothing():
    backbone = toy().train()
    before = {k: v.clone() for k, v in backbone.state_dict().items()}
    state = torch.get_rng_state()
    first, second = Classifier(backbone, 2), Classifier(backbone, 2)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(first.head[-1].weight, second.head[-1].weight)
    assert not torch.equal(first.head[-1].weight, Classifier(backbone, 2, seed=1).head[-1].weight)
    assert backbone.training
    assert all(torch.equal(before[k], v) for k, v in backbone.state_dict().items())


def test_windows_of_another_length(tmp_path):
    pooled, flat = Classifier(toy(), 2), Classifier(toy(), 2, pool="flatten")
    assert pooled(batch(length=9)).shape == (64, 2)
    with pytest.raises(DataError, match=r"takes 20 features, these windows have 45 .*n_features"):
        flat(batch(length=9))
    longer = Classifier(toy(), 2, pool="flatten", n_features=45)
    assert longer(batch(length=9)).shape == (64, 2)
    longer.eval().save_pretrained(tmp_path)
    again = Classifier.from_pretrained(tmp_path)
    assert torch.equal(again(batch(length=9)), longer(batch(length=9)))


def test_channels_side_by_side_may_be_as_many_as_they_like(tmp_path):
    backbone = models.EEGFormer(models.EEGFormerConfig.preset("tiny"))
    x = torch.cat([backbone.example()["x"]] * 2, dim=2)[..., :5]
    n_features = backbone.represent({"x": x})[0].numel()
    model = backbone.classifier(2, pool="flatten", n_features=n_features).eval()
    model.save_pretrained(tmp_path)
    again = Classifier.from_pretrained(tmp_path)
    assert again.example()["x"].shape == x.shape
    assert torch.equal(again({"x": x}), model({"x": x}))


def test_windows_are_checked():
    model = Classifier(toy(), ["rest", "task"])
    fine = SimpleNamespace(sampling_rate=100, classes=("rest", "task"), labels=np.array([0, 1]))
    model.check(fine)
    with pytest.raises(DataError, match="Toys want 100 Hz"):
        model.check(SimpleNamespace(sampling_rate=128))
    with pytest.raises(DataError, match=r"classes are \('task', 'rest'\), the classifier's"):
        model.check(SimpleNamespace(classes=("task", "rest")))
    with pytest.raises(
        DataError, match="Labels go from 0 to 2, expected whole numbers from 0 to 1"
    ):
        model.check(SimpleNamespace(labels=np.array([0, 2])))
    with pytest.raises(DataError, match=r"Labels go from 0.0 to 0.5, expected whole"):
        model.check(SimpleNamespace(labels=np.array([0, 0.5])))
    Classifier(toy(), 2).check(fine)


@pytest.mark.parametrize("classes", [1, ["rest"], ["rest", "rest"], 0])
def test_one_class_is_none(classes):
    with pytest.raises(DataError, match="Expected two classes or more"):
        Classifier(toy(), classes)


def test_bad_input(tmp_path):
    with pytest.raises(DataError, match="no labels"):
        Classifier(toy(), 2).loss({"x": batch()["x"]})
    with pytest.raises(DataError, match="backbone is .*expected a model of neurokit"):
        Classifier(nn.Linear(2, 2), 2)
    with pytest.raises(DataError, match="pool is 'max'"):
        Classifier(toy(), 2, pool="max")
    with pytest.raises(DataError, match="dropout is 1"):
        Classifier(toy(), 2, dropout=1)


@pytest.mark.parametrize("family", ["os.system", "torch", "VectorQuantizer", "nn", "Toi"])
def test_only_offered_families_are_loaded(family, tmp_path):
    Classifier(toy(), 2).save_pretrained(tmp_path)
    path = tmp_path / "config.json"
    content = json.loads(path.read_text())
    content["config"]["family"] = family
    path.write_text(json.dumps(content))
    with pytest.raises(ReadError, match=f"has no family '{family}'"):
        Classifier.from_pretrained(tmp_path)
    content["config"].update(family="Toy", backbone={"width": [3]})
    path.write_text(json.dumps(content))
    with pytest.raises(ReadError, match="Unknown setting 'width' in .* classifier's Toy"):
        Classifier.from_pretrained(tmp_path)

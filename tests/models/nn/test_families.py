"""What every family promises: it is saved whole, answers alike, and can be fine-tuned."""

import copy

import numpy as np
import pytest
import torch

from neurokit import models, training
from neurokit.models.nn import Pretrained

MAKERS = {
    "Classifier": lambda: models.Classifier(MAKERS["EEGFormer"](), ["rest", "task"], hidden=8),
    "DuIN": lambda: models.DuIN(models.DuINConfig.preset("tiny")),
    "DuINEncoder": lambda: models.DuINEncoder(models.DuINConfig.preset("tiny")),
    "DuINMasked": lambda: models.DuINMasked(models.DuINConfig.preset("tiny"), MAKERS["DuIN"]()),
    "EEGFormer": lambda: models.EEGFormer(models.EEGFormerConfig.preset("tiny")),
    "FuturePredictor": lambda: models.FuturePredictor(models.FuturePredictorConfig(9, 8)),
    "Neuroformer": lambda: models.Neuroformer(models.NeuroformerConfig.preset("tiny")),
    "SUMA": lambda: models.SUMA(models.SUMAConfig(60, 32, 4)),
    "StateSubspace": lambda: models.StateSubspace(
        models.StateSubspaceConfig(("C3", "C4"), sampling_rate=100, window=2, n_features=4)
    ),
}
TRAINED = sorted(set(MAKERS) - {"DuINEncoder", "SUMA", "StateSubspace"})
TUNABLE = [name for name in MAKERS if hasattr(getattr(models, name), "classifier")]


@pytest.fixture(params=MAKERS)
def model(request):
    """A model whose weights are not those that its seed gives."""
    torch.manual_seed(0)
    model = MAKERS[request.param]()
    with torch.no_grad():
        for p in model.parameters():
            p += 0.02 * torch.randn_like(p)
    return model.eval()


def answer(model):
    with torch.no_grad():
        return model.respond(model.example())


def test_every_family_is_here():
    things = [getattr(models, name) for name in models.__all__]
    offered = {t.__name__ for t in things if isinstance(t, type) and issubclass(t, Pretrained)}
    assert offered == set(MAKERS)


def test_it_is_saved_whole(model, tmp_path):
    model.save_pretrained(tmp_path)
    again = type(model).from_pretrained(tmp_path)
    assert again.config == model.config
    assert {k: v.shape for k, v in again.state_dict().items()} == {
        k: v.shape for k, v in model.state_dict().items()
    }
    assert all(torch.equal(v, again.state_dict()[k]) for k, v in model.state_dict().items())
    assert torch.equal(answer(again), answer(model))
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 5e6


def test_its_example_is_always_the_same_and_answered_alike(model):
    first, second = model.example(), model.example()
    assert sorted(first) == sorted(second)
    assert all(torch.equal(first[key], second[key]) for key in first)
    before = {k: v.clone() for k, v in model.state_dict().items()}
    out = answer(model)
    assert torch.equal(answer(model), out)
    assert bool(out.isfinite().all())
    assert float(out.float().std()) > 0
    assert all(torch.equal(before[k], v) for k, v in model.state_dict().items())


def test_other_weights_answer_otherwise(model):
    out = answer(model)
    with torch.no_grad():
        for p in model.parameters():
            p.mul_(1.5)
    assert not torch.allclose(answer(model), out, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("name", TUNABLE)
def test_fine_tuning_reaches_the_backbone(name):
    backbone = MAKERS[name]()
    model = backbone.classifier(["rest", "task"]).train()
    batch = model.example()
    batch["label"] = torch.arange(len(batch["x"])) % 2
    model.loss(batch)["loss"].backward()
    reached = [p.grad is not None and bool(p.grad.any()) for p in model.backbone.parameters()]
    assert sum(reached) > min(10, len(reached) - 1)
    assert all(bool(p.grad.isfinite().all()) for p in model.parameters() if p.grad is not None)


@pytest.mark.parametrize("name", TUNABLE)
def test_a_window_is_represented_by_itself(name):
    model = MAKERS[name]().eval()
    batch = model.example()
    double = {key: torch.cat([value, value.flip(0)]) for key, value in batch.items()}
    with torch.no_grad():
        alone, together = model.represent(batch), model.represent(double)
    torch.testing.assert_close(together[: len(alone)], alone, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("name", TUNABLE)
def test_a_tuned_model_is_saved_with_its_backbone(name, tmp_path):
    model = MAKERS[name]().classifier(["rest", "task"])
    model.save_pretrained(tmp_path)
    again = models.Classifier.from_pretrained(tmp_path)
    assert torch.equal(answer(again), answer(model.eval()))


@torch.no_grad()
def test_it_answers_alike_on_another_device(model, place):
    there = copy.deepcopy(model).to(place)
    found = there.respond({name: value.to(place) for name, value in model.example().items()})
    assert found.device == place
    torch.testing.assert_close(found.cpu(), answer(model), rtol=1e-4, atol=1e-5)


@pytest.mark.filterwarnings("ignore:The codebook has not started", "ignore:.*to a meta parameter")
@pytest.mark.parametrize("family", TRAINED)
def test_it_learns_alike_on_another_device_and_goes_on_from_a_checkpoint(family, place, tmp_path):
    model = MAKERS[family]()
    example = model.example()
    if family == "Classifier":
        example["label"] = torch.arange(len(example["x"])) % 2
    rows = range(len(next(iter(example.values()))))
    data = 8 // len(rows) * [{name: x[row] for name, x in example.items()} for row in rows]
    settings = {"batch_size": 2, "lr": 1e-3, "epochs": 3, "validation": data[:2], "progress": False}
    here = training.fit(copy.deepcopy(model), data, device="cpu", **settings)
    settings |= {"device": place, "checkpoint_dir": tmp_path}
    with pytest.raises(KeyboardInterrupt):
        training.fit(copy.deepcopy(model), data, callbacks=[Stop()], **settings)
    run = training.fit(copy.deepcopy(model), data, **settings)
    assert run.resumed_at == 1
    assert next(run.model.parameters()).device == place
    losses = ["loss", "validation_loss"]
    np.testing.assert_allclose(run.history[losses], here.history[losses], rtol=2e-3)


class Stop:
    """Stop in the second epoch."""

    def on_step(self, state):
        if state.epoch == 2:
            raise KeyboardInterrupt

    def on_epoch(self, state):
        pass

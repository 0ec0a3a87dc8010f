"""Losses against sums written by hand."""

import numpy as np
import pytest
import torch

from neurokit.errors import DataError
from neurokit.models import Neuroformer, NeuroformerConfig
from neurokit.models.neuroformer import Modality

BATCH = {
    "id": torch.tensor([[1, 4, 3, 5, 2], [1, 6, 2, 0, 0]]),
    "step": torch.tensor([[1, 3, 3, 7, 2], [1, 5, 2, 0, 0]]),
    "past_id": torch.tensor([[3, 4], [5, 0]]),
    "past_step": torch.tensor([[3, 9], [4, 0]]),
}


def make(**changes):
    settings = {"n_units": 4, "width": 16, "n_heads": 2, "history": 0.1, **changes}
    return Neuroformer(NeuroformerConfig.preset("tiny", **settings)).eval()


def nats(logits, choice):
    """Surprise of one choice, in numpy."""
    logits = logits.double().numpy()
    return np.log(np.exp(logits - logits.max()).sum()) + logits.max() - logits[choice]


@pytest.mark.parametrize("id_share", [0.6, 0.3])
@torch.no_grad()
def test_spikes_are_scored_token_by_token(id_share):
    model = make(id_share=id_share)
    losses, found = model.loss(BATCH), model(BATCH)
    # Each token but the first is to be predicted: the end, too, and padding is not.
    pairs = [(0, 0), (0, 1), (0, 2), (0, 3), (1, 0), (1, 1)]
    units = np.mean([nats(found.id_logits[i, k], BATCH["id"][i, k + 1]) for i, k in pairs])
    steps = np.mean([nats(found.step_logits[i, k], BATCH["step"][i, k + 1]) for i, k in pairs])
    assert float(losses["id_loss"]) == pytest.approx(units, rel=1e-5)
    assert float(losses["step_loss"]) == pytest.approx(steps, rel=1e-5)
    assert float(losses["loss"]) == pytest.approx(id_share * units + (1 - id_share) * steps)


@torch.no_grad()
def test_all_parts_are_added_up():
    speed = Modality("speed", n_samples=3)
    model = make(modalities=(speed,), targets=("speed",), contrastive=0.25)
    batch = {**BATCH, "speed": torch.randn(2, 3, 1), "target": torch.tensor([[0.5], [-1.0]])}
    losses = {name: float(value) for name, value in model.loss(batch).items()}
    spikes = 0.6 * losses["id_loss"] + 0.4 * losses["step_loss"]
    total = 0.75 * spikes + 0.25 * losses["contrastive_loss"] + losses["target_loss"]
    assert losses["loss"] == pytest.approx(total, rel=1e-5)


@torch.no_grad()
def test_behaviour_is_read_from_the_mean_over_tokens():
    model = make(targets=("speed", "turn"))
    target = torch.tensor([[0.5, torch.nan], [-1.0, 2.0]])
    hidden = model.hidden(BATCH)
    means = torch.stack([hidden[0, :4].mean(0), hidden[1, :2].mean(0)])
    torch.testing.assert_close(model.represent(BATCH), means)
    estimate = model.target_head(means)
    torch.testing.assert_close(model.read_target(BATCH), estimate)
    torch.testing.assert_close(model(BATCH).target, estimate)
    errors = (estimate - target)[~target.isnan()].square()
    loss = model.loss({**BATCH, "target": target})["target_loss"]
    torch.testing.assert_close(loss, errors.mean())


def test_windows_without_labels_teach_spikes_alone():
    model = make(targets=("speed",))
    unknown = {**BATCH, "target": torch.full((2, 1), torch.nan)}
    losses = model.loss(unknown)
    losses["loss"].backward()
    assert float(losses["target_loss"].detach()) == 0
    assert not bool(model.target_head.linear.weight.grad.any())
    assert all(bool(p.grad.isfinite().all()) for p in model.parameters() if p.grad is not None)
    model.zero_grad()
    unknown["target"][1] = 1.0
    model.loss(unknown)["loss"].backward()
    assert bool(model.target_head.linear.weight.grad.any())


@torch.no_grad()
def test_bins_are_classified():
    model = make(targets=("speed",), target_classes=4, target_range=(0.0, 8.0))
    batch = {**BATCH, "target": torch.tensor([[3.0], [100.0]])}
    logits = model.target_head(model.represent(BATCH))[:, 0]
    expected = (nats(logits[0], 1) + nats(logits[1], 3)) / 2
    assert float(model.loss(batch)["target_loss"]) == pytest.approx(expected, rel=1e-5)
    read = logits.softmax(-1) @ torch.tensor([1.0, 3.0, 5.0, 7.0])
    torch.testing.assert_close(model.read_target(BATCH)[:, 0], read)
    batch["target"] = torch.full((2, 1), torch.nan)
    assert float(model.loss(batch)["target_loss"]) == 0


def test_what_is_not_there_cannot_be_learned_or_read():
    with pytest.raises(DataError, match="the windows have none"):
        make(targets=("speed",)).loss(BATCH)
    with pytest.raises(DataError, match="has no targets"):
        make().read_target(BATCH)

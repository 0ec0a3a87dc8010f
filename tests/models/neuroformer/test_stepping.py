import pytest
import torch

from neurokit.models import Neuroformer, NeuroformerConfig
from neurokit.models.neuroformer import Modality
from neurokit.models.neuroformer.stepping import Stepper


def network(**changes):
    layers = {"state_layers": 2, "history_layers": 2, "n_positions": 30, "dropout": 0.3}
    return Neuroformer(NeuroformerConfig.preset("tiny", **{**layers, **changes})).eval()


def tokens(model, n_rows, n):
    generator = torch.Generator().manual_seed(1)
    id = torch.randint(3, model.config.n_ids, (n_rows, n), generator=generator)
    return id, torch.randint(3, model.config.n_steps + 3, (n_rows, n), generator=generator)


def past(model, n_rows, n):
    """Pasts of unequal length, one of them without spikes."""
    id, _ = tokens(model, n_rows, n)
    lengths = torch.arange(n_rows) * n // max(1, n_rows - 1)
    there = torch.arange(n) < lengths[:, None]
    return {"past_id": id * there, "past_step": (torch.arange(n) // 3 + 3).expand_as(id) * there}


def context_of(model, n_rows):
    batch = past(model, n_rows, 12)
    for modality in model.config.modalities:
        batch[modality.name] = torch.randn(n_rows, *modality.shape)
    return model.context(batch)


MODELS = {
    "plain": {},
    "no history": {"history_layers": 0},
    "all": {
        "modalities": (
            Modality("speed", n_samples=7),
            Modality("video", "frames", 3, frame_shape=(10, 10), layers=2),
        )
    },
}


@pytest.mark.parametrize("changes", MODELS.values(), ids=MODELS)
@torch.no_grad()
def test_steps_are_what_the_network_computes_at_once(changes):
    model = network(**changes)
    n = 150  # More than there is room for at first, and than there are positions.
    id, step = tokens(model, 5, n)
    context = context_of(model, 5)
    whole = model.decode(id, step, context)
    stepper = Stepper(model)
    stepper.start(context, 5)
    slow = torch.stack([stepper(id[:, i], step[:, i]) for i in range(n)], dim=1)
    torch.testing.assert_close(slow, whole, atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_rows_that_leave_change_nothing_for_the_others():
    model = network(**MODELS["all"])
    stepper = Stepper(model)
    for n_rows in (6, 9, 2):  # One window after another, as generation does.
        id, step = tokens(model, n_rows, 100)
        context = context_of(model, n_rows)
        whole = model.decode(id, step, context)
        stepper.start(context, n_rows)
        rows = torch.arange(n_rows)
        for i in range(100):
            if i in (5, 40) and len(rows) > 2:
                kept = torch.arange(1, len(rows), 2)
                stepper.keep(kept)
                rows = rows[kept]
            found = stepper(id[rows, i], step[rows, i])
            torch.testing.assert_close(found, whole[rows, i], atol=1e-5, rtol=1e-5)

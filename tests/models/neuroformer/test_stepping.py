"""What generation computes token by token is what the network computes at once."""

import numpy as np
import pytest
import torch
import xarray as xr

import neurokit as nk
from neurokit.models import Neuroformer, NeuroformerConfig
from neurokit.models.neuroformer import Modality
from neurokit.models.neuroformer.stepping import Stepper
from neurokit.windows.spike_tokens import EOS, FIRST, SOS

LAYERS = {"state_layers": 2, "history_layers": 3, "final_layers": 2, "n_positions": 30}


def disturbed(config):
    """A model in whose weights nothing is zero or one."""
    model, generator = Neuroformer(config).eval(), torch.Generator().manual_seed(1)
    with torch.no_grad():
        for p in model.parameters():
            p += 0.05 * torch.randn(p.shape, generator=generator)
    return model


@pytest.fixture(scope="module")
def win():
    """Windows of 0 to some 150 spikes: a burst, silence, and what lies between."""
    rng = np.random.default_rng(0)
    rate = np.concatenate([[0.0, 0.0, 900.0], rng.uniform(0, 300, 17), [0.0]])
    times = np.concatenate([0.1 * k + rng.uniform(0, 0.1, rng.poisson(r * 0.1))
                            for k, r in enumerate(rate)])  # fmt: skip
    times = np.append(times, rng.uniform(1.1, 1.2, 120))
    speed = nk.Recording.from_array(rng.normal(size=(210, 2)), 100, stream="behaviour")
    film = xr.DataArray(
        rng.normal(size=(42, 6, 10)).astype(np.float32),
        {"time": np.arange(42) / 20},
        ("time", "row", "column"),
        attrs={"sampling_rate": 20.0, "units": "a.u."},
    )
    streams = {"behaviour": speed["behaviour"], "stimulus": film}
    rec = nk.Recording.from_spikes(times, rng.integers(0, 12, times.size), 2.1, streams=streams)
    beside = {"stimulus": 0.15, "behaviour": 0.1}
    return nk.windows.spike_windows(rec, length=0.1, history=0.1, beside=beside)


@pytest.fixture(scope="module")
def batch(win):
    return win.batch(np.arange(len(win)))


MODELS = {
    "everything": {},
    "no modalities": {"modalities": ()},
    "no past": {"history_layers": 0},
    "step given id": {"step_given_id": True},
    "nothing but a past": {"modalities": (), "state_layers": 0, "final_layers": 0},
}


@pytest.mark.parametrize("changes", MODELS.values(), ids=MODELS)
@pytest.mark.parametrize(("dtype", "atol"), [(torch.float32, 1e-5), (torch.float64, 1e-12)])
@torch.no_grad()
def test_each_step_has_the_logits_of_the_whole_window(win, batch, changes, dtype, atol):
    """Teacher-forced, over windows of unequal length, one of them without spikes."""
    model = disturbed(NeuroformerConfig.of(win, **{**LAYERS, **changes})).to(dtype)
    batch = {k: v.to(dtype) if v.is_floating_point() else v for k, v in batch.items()}
    id, step = batch["id"], batch["step"]
    n = (id > 0).sum(1)
    assert int(n.min()) == 2
    assert int(n.max()) > 128  # More than there is room for at first, and than positions.
    assert int((batch["past_id"] > 0).sum(1).min()) == 0
    whole = model(batch)
    stepper = Stepper(model)
    stepper.start(model.context(batch), len(id))
    for i in range(id.shape[1] - 1):
        hidden, there = stepper(id[:, i], step[:, i]), n > i + 1
        found = model.id_logits(hidden), model.step_logits(hidden, id[:, i + 1])
        for slow, once in zip(found, (whole.id_logits, whole.step_logits), strict=True):
            torch.testing.assert_close(slow[there], once[there, i], atol=atol, rtol=atol)


@torch.no_grad()
def test_rows_that_leave_change_nothing_for_the_others(win, batch):
    """Rows leave where their window ends, and the next windows begin, as in generation."""
    model = disturbed(NeuroformerConfig.of(win, **LAYERS))
    stepper, fewer = Stepper(model), 0
    for chosen in ([1, 2, 9, 10, 11, 12], list(range(18)), [10, 3]):
        mine = {name: value[chosen] for name, value in batch.items()}
        hidden, n = model.hidden(mine), (mine["id"] > 0).sum(1)
        stepper.start(model.context(mine), len(chosen))
        rows = torch.arange(len(chosen))
        for i in range(int(n.max())):
            left = (n[rows] > i).nonzero()[:, 0]
            if len(left) < 0.7 * len(rows):
                stepper.keep(left)
                rows, fewer = rows[left], fewer + 1
            found = stepper(mine["id"][rows, i], mine["step"][rows, i])
            there = n[rows] > i
            torch.testing.assert_close(found[there], hidden[rows[there], i], atol=1e-5, rtol=1e-5)
    assert fewer > 4


@pytest.mark.parametrize("n_rows", [1, 5])
@torch.no_grad()
def test_a_longer_stretch_than_any_window_keeps_to_the_last_position(n_rows):
    model = disturbed(
        NeuroformerConfig.preset("tiny", **LAYERS, modalities=(Modality("speed", n_samples=7),))
    )
    generator = torch.Generator().manual_seed(2)
    id, step = (
        torch.randint(FIRST, high, (n_rows, 200), generator=generator)
        for high in (model.config.n_ids, model.config.n_steps + FIRST)
    )
    for tokens in (id, step):
        tokens[:, 0], tokens[:, -1] = SOS, EOS
    past = {"past_id": id[:, 1:9], "past_step": torch.full_like(id[:, 1:9], FIRST)}
    batch = {"id": id, "step": step, **past, "speed": torch.randn(n_rows, 7, 1)}
    stepper = Stepper(model)
    stepper.start(model.context(batch), n_rows)
    slow = torch.stack([stepper(id[:, i], step[:, i]) for i in range(200)], dim=1)
    torch.testing.assert_close(slow, model.hidden(batch), atol=1e-5, rtol=1e-5)

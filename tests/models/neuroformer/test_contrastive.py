"""The contrastive stage: its loss, and that it sees nothing that has been fused."""

from itertools import combinations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from neurokit.models import Neuroformer, NeuroformerConfig
from neurokit.models.neuroformer import Modality
from neurokit.models.neuroformer.contrastive import info_nce
from neurokit.windows.spike_tokens import EOS, SOS

MODALITIES = (Modality("stimulus", "frames", 3, frame_shape=(5, 5)), Modality("speed", n_samples=2))


@pytest.fixture
def model():
    config = NeuroformerConfig.preset(
        "tiny", n_units=9, width=32, modalities=MODALITIES, contrastive=0.25
    )
    return Neuroformer(config).eval()


def windows(n, seed=0):
    generator = torch.Generator().manual_seed(seed)
    unit = torch.randint(3, 12, (n, 6), generator=generator)
    step = torch.randint(3, 8, (n, 6), generator=generator).sort(1)[0]
    for tokens in (unit, step):
        tokens[:, 0], tokens[:, -1] = SOS, EOS
    batch = {"id": unit, "step": step, "past_id": unit[:, 1:3], "past_step": step[:, 1:3]}
    for modality in MODALITIES:
        batch[modality.name] = torch.randn(n, *modality.shape, generator=generator)
    return batch


def test_it_is_the_cross_entropy_of_finding_the_partner():
    rng = np.random.default_rng(0)
    a, b = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in rng.normal(size=(2, 5, 3)))
    p = np.exp(a @ b.T / 0.5)
    rows = -np.log(np.diag(p) / p.sum(1)).mean()
    columns = -np.log(np.diag(p) / p.sum(0)).mean()
    found = float(info_nce(torch.from_numpy(a), torch.from_numpy(b), 0.5))
    assert found == pytest.approx((rows + columns) / 2)
    same = torch.ones(7, 2) / 2**0.5
    assert float(info_nce(same, same, 0.5)) == pytest.approx(np.log(7))


@torch.no_grad()
def test_all_pairs_of_what_is_seen_are_compared(model):
    batch = windows(5)
    tokens = [encoder(batch[name]) for name, encoder in model.body.encoders.items()]
    # Before fusion spikes have read one another alone: the end predicts nothing, and is not there.
    n = batch["id"].shape[1] - 1
    x = model.body.embedding.current(
        batch["id"][:, :-1], batch["step"][:, :-1], torch.arange(n).expand(5, n)
    )
    for block in model.body.state.blocks:
        x = x + block.attention(block.attention_norm(x))
        x = x + block.feed(block.feed_norm(x))
    views = [
        F.normalize(to_joint(part).mean(1), dim=-1)
        for to_joint, part in zip(model.joint.maps, [x, *tokens], strict=True)
    ]
    expected = torch.stack([info_nce(a, b, 0.5) for a, b in combinations(views, 2)]).mean()
    torch.testing.assert_close(model.loss(batch)["contrastive_loss"], expected)


def test_nothing_fused_is_seen(model):
    batch = windows(4)
    model.loss(batch)["contrastive_loss"].backward()
    body = model.body
    fusion = (body.history, body.readers, body.final, body.norm, model.id_head)
    assert all(p.grad is None or not p.grad.any() for part in fusion for p in part.parameters())
    before = (body.state, body.encoders, model.joint)
    assert all(
        bool(p.grad.any())
        for part in before
        for name, p in part.named_parameters()
        if "bias" not in name
    )
    with torch.no_grad():
        other = {**batch, "past_id": torch.full_like(batch["past_id"], 5)}
        for name in ("id_loss", "contrastive_loss"):
            same = torch.equal(model.loss(other)[name], model.loss(batch)[name])
            assert same == (name == "contrastive_loss")


def test_partners_find_each_other(model):
    """Units tell the speed: after training, held-out windows are matched far above chance."""

    def related(n, seed):
        batch = windows(n, seed)
        batch["speed"] = (batch["id"][:, 1:3, None] - 7.0) / 2
        batch["stimulus"] = batch["stimulus"] * 0
        return batch

    optimiser = torch.optim.AdamW(model.train().parameters(), lr=3e-3, fused=True)
    for step in range(60):
        optimiser.zero_grad()
        model.loss(related(32, step))["contrastive_loss"].backward()
        optimiser.step()
    with torch.no_grad():
        trained = model.eval().loss(related(32, 1000))["contrastive_loss"]
        unrelated = model.loss(windows(32, 1001))["contrastive_loss"]
    # Two of the three pairs are with a stimulus that tells nothing: ln 32 each.
    assert float(trained) < float(unrelated) - 0.3

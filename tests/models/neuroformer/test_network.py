"""The network does what its figure says: order, causality, padding, caches, modalities."""

import numpy as np
import pytest
import torch
import xarray as xr
from torch.utils.flop_counter import FlopCounterMode

import neurokit as nk
from neurokit.errors import DataError
from neurokit.models import Neuroformer, NeuroformerConfig
from neurokit.models.neuroformer import Modality
from neurokit.models.neuroformer.embedding import SpikeEmbedding
from neurokit.training.schedule import parameter_groups

VIDEO = Modality("stimulus", "frames", 6, frame_shape=(10, 12), encoder_layers=1)
SPEED = Modality("speed", n_samples=8)
TOKENS = ("id", "step", "past_id", "past_step")


def make(*modalities, **changes):
    """A small model whose weights are not those of its seed."""
    settings = {"n_units": 20, "width": 32, "n_heads": 4, "modalities": modalities, **changes}
    model = Neuroformer(NeuroformerConfig.preset("tiny", **settings))
    torch.manual_seed(1)
    with torch.no_grad():
        for p in model.parameters():
            p += 0.1 * torch.randn_like(p)
    return model.eval()


def windows(n, model, seed=0, most=9):
    """Random windows, of different lengths, the first one without a past and the last silent."""
    rng, config = np.random.default_rng(seed), model.config
    batch = {name: torch.zeros(n, most + 2, dtype=torch.long) for name in TOKENS}
    for row in range(n):
        count, before = (0 if row == n - 1 else rng.integers(1, most)), rng.integers(1, most) * row
        before = min(int(before), most)
        for name, high in (("id", config.n_units), ("step", config.n_steps)):
            values = rng.integers(0, high, count) + 3
            values = np.sort(values) if name == "step" else values
            batch[name][row, : count + 2] = torch.tensor([1, *values, 2])
        for name, high in (("past_id", config.n_units), ("past_step", config.n_past_steps)):
            batch[name][row, :before] = torch.from_numpy(rng.integers(0, high, before) + 3)
    for modality in config.modalities:
        values = rng.normal(size=(n, *modality.shape))
        batch[modality.name] = torch.tensor(values, dtype=torch.float32)
    if config.targets:
        values = rng.normal(size=(n, len(config.targets)))
        batch["target"] = torch.tensor(values, dtype=torch.float32)
    return batch


def padded(batch, n):
    """The same windows in a larger batch's padding."""
    zeros = torch.zeros(len(batch["id"]), n, dtype=torch.long)
    return {k: torch.cat([v, zeros], dim=1) if k in TOKENS else v for k, v in batch.items()}


@pytest.fixture(scope="module")
def rich():
    return make(VIDEO, SPEED, targets=("speed", "turn"), contrastive=0.25)


@pytest.fixture(scope="module")
def batch(rich):
    return windows(6, rich)


@torch.no_grad()
def test_the_next_tokens_are_not_seen(rich, batch):
    there = batch["id"] > 0
    before = rich(batch)
    for k in range(1, 6):
        changed = {name: value.clone() for name, value in batch.items()}
        changed["id"][:, k] = torch.where(batch["id"][:, k] == 3, 4, 3)
        changed["step"][:, k] = torch.where(batch["step"][:, k] == 3, 4, 3)
        changed = {
            name: torch.where(there, value, batch[name]) if name in ("id", "step") else value
            for name, value in changed.items()
        }
        after = rich(changed)
        for old, new in zip(before[:2], after[:2], strict=True):
            torch.testing.assert_close(new[:, :k], old[:, :k], atol=1e-6, rtol=0)
            rows = there[:, k]
            assert bool(((new - old)[rows, k].abs().amax(-1) > 1e-4).all())


@torch.no_grad()
def test_padding_changes_nothing(rich, batch):
    alone, more = rich(batch), rich(padded(batch, 50))
    there = batch["id"] > 0
    n = there.shape[1]
    for old, new in zip(alone[:2], more[:2], strict=True):
        torch.testing.assert_close(new[:, :n][there], old[there], atol=1e-5, rtol=0)
    torch.testing.assert_close(more.target, alone.target, atol=1e-5, rtol=0)
    losses, again = rich.loss(batch), rich.loss(padded(batch, 50))
    for name, value in losses.items():
        torch.testing.assert_close(again[name], value, atol=1e-5, rtol=0)


@torch.no_grad()
def test_a_window_does_not_mind_its_neighbours(rich, batch):
    together = rich(batch)
    for row in range(6):
        one = {name: value[row : row + 1] for name, value in batch.items()}
        n, m = int((one["id"] > 0).sum()), max(1, int((one["past_id"] > 0).sum()))
        cut = {"id": n, "step": n, "past_id": m, "past_step": m}
        alone = rich({name: value[:, : cut.get(name)] for name, value in one.items()})
        torch.testing.assert_close(
            alone.id_logits[0], together.id_logits[row, :n], atol=1e-5, rtol=0
        )
        torch.testing.assert_close(alone.target[0], together.target[row], atol=1e-5, rtol=0)


def test_windows_without_spikes_are_finite(rich):
    rich.zero_grad()
    quiet = windows(2, rich)
    for name in ("id", "step"):
        quiet[name] = torch.tensor([[1, 2], [1, 2]])
    for name in ("past_id", "past_step"):
        quiet[name] = torch.zeros(2, 1, dtype=torch.long)
    rich.loss(quiet)["loss"].backward()
    grads = [p.grad for p in rich.parameters() if p.grad is not None]
    assert all(bool(g.isfinite().all()) for g in grads)
    assert bool(rich(quiet).id_logits.isfinite().all())
    rich.zero_grad()


@torch.no_grad()
@pytest.mark.parametrize("name", ["speed", "stimulus", "past_id", "past_step"])
def test_everything_beside_is_read(rich, batch, name):
    before = rich(batch).id_logits[1]
    value = batch[name]
    changed = value + 1 if value.is_floating_point() else torch.where(value > 3, 3, value)
    after = rich({**batch, name: changed}).id_logits[1]
    assert float((after - before)[0].abs().max()) > 1e-3


@torch.no_grad()
def test_when_and_where_something_is_seen_matters(rich, batch):
    before = rich(batch).id_logits[:, 0]
    swapped = batch["stimulus"].clone()
    swapped[:, :, 0:5, 0:5], swapped[:, :, 5:10, 5:10] = (
        batch["stimulus"][:, :, 5:10, 5:10],
        batch["stimulus"][:, :, 0:5, 0:5],
    )
    places = rich({**batch, "stimulus": swapped}).id_logits[:, 0]
    frames = rich({**batch, "stimulus": batch["stimulus"].roll(3, dims=1)}).id_logits[:, 0]
    samples = rich({**batch, "speed": batch["speed"].flip(1)}).id_logits[:, 0]
    for after in (places, frames, samples):
        assert bool(((after - before).abs().amax(-1) > 1e-4).all())


@torch.no_grad()
def test_spikes_of_the_past_have_no_order_but_their_time(rich, batch):
    # Without positions, which count from the window back, the past is a set.
    model = make()
    model.body.embedding.past_position.weight.zero_()
    some = {name: batch[name] for name in TOKENS}
    rows = some["past_id"].clone(), some["past_step"].clone()
    n = (rows[0] > 0).sum(1)
    order = torch.stack([torch.cat([torch.arange(k).flip(0), torch.arange(k, 11)]) for k in n])
    turned = {**some, "past_id": rows[0].gather(1, order), "past_step": rows[1].gather(1, order)}
    there = batch["id"] > 0
    torch.testing.assert_close(model(turned).id_logits[there], model(some).id_logits[there])


@pytest.mark.parametrize(
    "modality",
    [
        Modality("odd", "frames", 4, frame_shape=(7, 9)),
        Modality("colour", "frames", 3, frame_shape=(5, 5, 3), encoder_layers=0),
        Modality("lfp", n_samples=5, n_variables=7, layers=2),
    ],
)
def test_any_modality_is_read_whole(modality):
    model = make(modality)
    batch = windows(2, model)
    x = batch[modality.name].requires_grad_()
    model(batch).id_logits[0, 0].square().sum().backward()
    assert bool((x.grad[0] != 0).all())
    assert not bool(x.grad[1].any())


def test_modalities_of_another_shape_are_refused(rich, batch):
    with pytest.raises(DataError, match=r"Expected speed of shape .*8, 1.*got \(6, 9, 1\)"):
        rich({**batch, "speed": torch.zeros(6, 9, 1)})


def test_cost_is_linear_in_what_is_read():
    def cost(n_samples, n_past, n_frames):
        video = Modality("stimulus", "frames", n_frames, frame_shape=(10, 10))
        model = make(Modality("speed", n_samples=n_samples), video)
        batch = windows(2, model)
        for name in ("past_id", "past_step"):
            batch[name] = torch.full((2, n_past), 3)
        with FlopCounterMode(display=False) as counter:
            model.loss(batch)["loss"].backward()
        return counter.get_total_flops()

    for axis in range(3):
        sizes = [[12, 12, 12] for _ in range(3)]
        for times, size in zip((1, 2, 3), sizes, strict=True):
            size[axis] *= times
        first, second, third = (cost(*size) for size in sizes)
        assert second > first
        assert abs((third - second) - (second - first)) <= 0.01 * (second - first)


@torch.no_grad()
def test_attention_to_the_past_is_told(rich, batch):
    weights = rich.history_attention(batch)
    assert weights.shape == (1, 6, 11, 11)
    empty, there = batch["past_id"] == 0, batch["id"] > 0
    assert not bool(weights.movedim(-1, 2)[0][empty].any())
    total = weights[0][there].sum(-1)
    assert bool((total <= 1).all())
    assert bool((weights[0].sum(-1)[1:][there[1:]] > 0.05).all())
    assert not bool(total[: int(there[0].sum())].any())  # the first window has no past
    with pytest.raises(DataError, match="reads no past"):
        make(history_layers=0).history_attention(batch)


@torch.no_grad()
def test_blocks_read_in_the_order_of_the_paper(rich):
    assert list(rich.body.stacks()) == ["state", "past", "stimulus", "speed", "final"]


def test_new_units_leave_the_old_ones_as_they_were(batch):
    words = tuple(("monday", unit) for unit in range(20))
    model = make(vocabulary=words)
    before = model(batch)
    assert model.extend((*words, ("tuesday", 0), ("tuesday", 1))) is model
    after = model(batch)
    there = batch["id"] > 0
    torch.testing.assert_close(after.id_logits[there][:, :23], before.id_logits[there])
    torch.testing.assert_close(after.step_logits[there], before.step_logits[there])
    assert model.config.n_units == 22
    assert after.id_logits.shape[-1] == 25
    batch = {**batch, "id": batch["id"].clone()}
    batch["id"][:, 1] = 24
    assert bool(model.loss(batch)["loss"].isfinite())
    with pytest.raises(DataError, match="do not begin with them"):
        model.extend((("tuesday", 0), *words))


def test_a_model_with_everything_comes_back(tmp_path, batch):
    words = tuple(("monday", unit) for unit in range(20))
    model = make(
        VIDEO,
        SPEED,
        targets=("speed", "turn"),
        contrastive=0.25,
        vocabulary=words,
        target_classes=5,
        step_given_id=True,
    )
    model.extend((*words, ("tuesday", 9)))
    model.save_pretrained(tmp_path)
    again = Neuroformer.from_pretrained(tmp_path)
    assert again.config == model.config
    assert torch.equal(again.loss(batch)["loss"], model.loss(batch)["loss"])


def test_only_weights_of_linear_layers_decay(rich):
    """As in the released code: a decay of 1 would soon wear the tables of vectors away."""
    linear = {id(m.weight) for m in rich.modules() if isinstance(m, torch.nn.Linear)}
    decaying, others = parameter_groups(rich, 1.0)
    names = {id(p): name for name, p in rich.named_parameters()}
    assert {names[id(p)] for p in decaying["params"]} == {names[place] for place in linear}
    spared = {names[id(p)] for p in others["params"] if p.ndim > 1}
    tables = {f"body.embedding.{name}" for name in SpikeEmbedding.undecayed}
    assert spared == {*tables, "body.encoders.stimulus.patches.weight"}
    grown = make(vocabulary=(("", 0),), n_units=1).extend((("", 0), ("", 1)))
    table = grown.body.embedding.unit.weight
    assert any(p is table for p in parameter_groups(grown, 1.0)[1]["params"])


def planted(n, seed):
    """Unit 4 + 5 a follows unit a of the past, and half a window later unit 4 + 5 a + 1."""
    rng = np.random.default_rng(seed)
    cause = rng.integers(0, 3, n)
    late = rng.integers(0, 4, n)
    ones, steps = np.ones(n, dtype=int), np.stack([0 * late + 1, late + 3, late + 3 + 5], axis=1)
    id = np.stack([ones, 7 + 5 * cause, 8 + 5 * cause, 2 * ones], axis=1)
    past = np.stack([cause + 3, rng.integers(3, 6, n)], axis=1)
    return {
        "id": torch.from_numpy(id),
        "step": torch.from_numpy(np.concatenate([steps, 2 * ones[:, None]], axis=1)),
        "past_id": torch.from_numpy(past),
        "past_step": torch.from_numpy(np.stack([3 * ones, 8 * ones], axis=1)),
    }


def test_planted_structure_is_learned():
    torch.manual_seed(0)
    model = Neuroformer(NeuroformerConfig.preset("tiny", n_units=20, dt=0.005, width=32)).train()
    optimiser = torch.optim.AdamW(model.parameters(), lr=3e-3, fused=True)
    for step in range(90):
        optimiser.zero_grad()
        model.loss(planted(64, step))["loss"].backward()
        optimiser.step()
    with torch.no_grad():
        losses = model.eval().loss(planted(256, 1000))
    # Units: three words twice, and the end: unigram 1.83 nats; they are certain given the past.
    assert float(losses["id_loss"]) < 0.1
    # The first step is one of four, the others follow: ln 4 / 3 nats a token.
    assert float(losses["step_loss"]) < np.log(4) / 3 + 0.1


def test_a_step_may_depend_on_its_unit():
    def fitted(**changes):
        model = make(n_units=4, **changes).train()
        optimiser = torch.optim.AdamW(model.parameters(), lr=1e-2)
        for step in range(40):
            rng = np.random.default_rng(step)
            unit = torch.from_numpy(rng.integers(3, 7, (64, 1)))
            ones = torch.ones_like(unit)
            batch = {"id": torch.cat([ones, unit, 2 * ones], 1), "past_id": 0 * ones}
            batch |= {"step": torch.cat([ones, unit, 2 * ones], 1), "past_step": 0 * ones}
            optimiser.zero_grad()
            losses = model.loss(batch)
            losses["loss"].backward()
            optimiser.step()
        return model, float(losses["step_loss"].detach())

    free, conditional = fitted(), fitted(step_given_id=True)
    assert free[1] > 0.6  # ln 4 / 2: the unit is not known
    assert conditional[1] < 0.1
    with pytest.raises(DataError, match="depends on the unit"):
        conditional[0].step_logits(torch.zeros(1, 32))


def test_training_generation_and_connectivity_are_methods_too():
    assert Neuroformer.fit is nk.training.fit
    rng = np.random.default_rng(0)
    rec = nk.Recording.from_spikes(np.sort(rng.uniform(0, 5, 200)), np.arange(200) % 4, 5.0)
    win = nk.windows.spike_windows(rec, length=0.1, history=0.1)
    model = Neuroformer(NeuroformerConfig.of(win, width=16))
    told = {"epochs": 1, "batch_size": 16, "lr": 1e-3, "device": "cpu", "progress": False}
    assert model.fit(win, **told).model is model
    made = model.generate(win, seed=3, device="cpu")
    same = nk.models.neuroformer.generate_samples(model, win, seed=3, device="cpu")[0]
    xr.testing.assert_identical(made["spikes"], same["spikes"])
    assert model.connectivity(win, method="attention", device="cpu").dims == ("target", "source")

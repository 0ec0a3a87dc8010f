"""Mental simulation: the future is predicted, and the hidden ball is where states say it is."""

import numpy as np
import pytest
import torch
from torch import nn

import neurokit as nk
from neurokit.models import FuturePredictor, FuturePredictorConfig
from neurokit.models.future import encode_frames

N, TRAIN = 600, 450


def hidden_position_r(states, films, rng=None):
    """Decode the place of hidden balls in held-out films from states; the mean r of x and y."""
    occluded = films.occluded.values
    place = films.state.values[..., :2]
    if rng is not None:
        place = place[rng.permutation(len(place))]
    fitted, tested = occluded.copy(), occluded.copy()
    fitted[TRAIN:], tested[:TRAIN] = False, False
    x = np.asarray(states, dtype=np.float64)
    model = nk.alignment.RidgeCV(alphas=np.logspace(-12, 6, 19)).fit(
        x[fitted][::3], place[fitted][::3]
    )
    return float(nk.alignment.statistics.pearson(place[tested], model.predict(x[tested])).mean())


@pytest.fixture(scope="module")
def world():
    """Films in full sight to learn from, the same films with an occluder, and their latents."""
    seen = nk.datasets.bouncing_balls(N, 28, occluder=None)
    films = nk.datasets.bouncing_balls(N, 28)
    encoder = nn.AvgPool2d(4)
    return films, encode_frames(encoder, seen.frames), encode_frames(encoder, films.frames)


@pytest.fixture(scope="module")
def trained(world):
    model = FuturePredictor(FuturePredictorConfig(64, 128))
    data = [{"latents": latents} for latents in world[1]]
    return nk.training.fit(
        model, data[:TRAIN], validation=data[TRAIN:], epochs=40, batch_size=30, lr=5e-3,
        device="cpu", progress=False,
    )  # fmt: skip


def test_it_predicts_the_next_latent_of_new_films(trained):
    last = trained.history.iloc[-1]
    assert last["validation_loss"] < 0.4 * last["validation_copy_last"]


def test_rollouts_beat_copies_and_the_untrained(world, trained):
    latents = world[1][TRAIN:]
    context = trained.model.config.context
    target = latents[:, context:]

    def error(prediction):
        return float(((prediction - target) ** 2).mean())

    untrained = FuturePredictor(trained.model.config)
    mean = world[1][:TRAIN].mean(dim=(0, 1))
    reached = error(trained.model.rollout(latents))
    rivals = {
        "copy": error(latents[:, context - 1 : context]),
        "untrained": error(untrained.rollout(latents)),
        "mean": error(mean.expand_as(target)),
    }
    print(f"rollouts: {reached:.4f}, {rivals}")
    assert reached < 0.6 * rivals["copy"]
    assert reached < 0.7 * rivals["untrained"]
    assert reached < 0.9 * rivals["mean"]


@pytest.mark.filterwarnings("ignore:Penalty grid edge")  # states without noise need no penalty
@torch.no_grad()
def test_the_hidden_ball_is_in_the_states_but_not_in_the_frames(world, trained):
    films, seen_latents, hidden_latents = world
    # The ball is shown while all of it is in sight; then the model runs on by itself.
    seen = torch.from_numpy(films.visible.values == 1)
    _, states = trained.model(seen_latents, seen)
    _, untrained = FuturePredictor(trained.model.config)(seen_latents, seen)
    r = {
        "trained": hidden_position_r(states, films),
        "untrained": hidden_position_r(untrained, films),
        "frames": hidden_position_r(hidden_latents, films),
        "shuffled": hidden_position_r(states, films, np.random.default_rng(0)),
    }
    print(f"hidden position: {r}")
    assert r["trained"] > 0.65
    assert r["trained"] > r["untrained"] + 0.05
    assert abs(r["frames"]) < 0.05
    assert abs(r["shuffled"]) < 0.3


@torch.no_grad()
def test_planted_neurons_are_mapped_better_by_the_model_that_drives_them(world, trained):
    films, latents, hidden_latents = world
    states = trained.model(latents[:80], torch.from_numpy(films.visible.values[:80] == 1))[1]
    rng = np.random.default_rng(0)
    drive = (states @ torch.from_numpy(rng.standard_normal((128, 6))).float()).numpy()
    drive = (drive - drive.mean((0, 1))) / drive.std((0, 1))
    responses = drive + rng.standard_normal((4, *drive.shape))
    alphas = np.geomspace(1e-1, 1e6, 9)
    mapped = nk.alignment.time_resolved_mapping(states.numpy(), responses, alphas=alphas)
    frames = nk.alignment.time_resolved_mapping(
        hidden_latents[:80].numpy(), responses, alphas=alphas
    )
    late = slice(10, None)  # by then, most balls have gone behind the occluder
    assert float(mapped.r_corrected[late].mean()) > 0.85
    assert float(frames.r_corrected[late].mean()) < float(mapped.r_corrected[late].mean()) - 0.2


@pytest.mark.parametrize("dynamics", ["lstm", "ctrnn"])
def test_what_is_not_seen_is_not_looked_at(dynamics):
    model = FuturePredictor(FuturePredictorConfig(6, 10, dynamics))
    latents = torch.randn(3, 12, 6, generator=torch.Generator().manual_seed(0))
    seen = torch.arange(12).expand(3, 12) < 7
    changed = latents.clone()
    changed[:, 7:] = 100.0
    for a, b in zip(model(latents, seen), model(changed, seen), strict=True):
        torch.testing.assert_close(a, b)
    torch.testing.assert_close(model.rollout(latents), model(latents, seen)[0][:, 6:-1])
    whole, step_by_step = model(latents), model(latents, seen.logical_not().logical_or(seen))
    torch.testing.assert_close(whole[0], step_by_step[0])
    torch.testing.assert_close(whole[1][:, :7], model(latents, seen)[1][:, :7])


def test_leaky_units_follow_their_equation():
    model = FuturePredictor(FuturePredictorConfig(2, 3, "ctrnn", time_constant=4.0))
    x = torch.randn(1, 5, 2, generator=torch.Generator().manual_seed(0))
    inward, recurrent = model.dynamics.inward, model.dynamics.recurrent.weight
    h = torch.zeros(3)
    for now in range(5):
        h = 0.75 * h + 0.25 * torch.tanh(recurrent @ h + inward.weight @ x[0, now] + inward.bias)
    torch.testing.assert_close(model(x)[1][0, -1], h)


def test_a_ctrnn_learns_too():
    films = nk.datasets.bouncing_balls(120, 20, occluder=None)
    latents = encode_frames(nn.AvgPool2d(8), films.frames)
    model = FuturePredictor(FuturePredictorConfig(16, 48, "ctrnn"))
    data = [{"latents": film} for film in latents]
    run = nk.training.fit(
        model, data, epochs=20, batch_size=20, lr=5e-3, device="cpu", progress=False
    )
    assert run.history["loss"].iloc[-1] < 0.3 * run.history["loss"].iloc[0]


def test_the_encoder_is_used_as_it_is_and_left_so():
    encoder = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Dropout(0.5)).train()
    before = {name: value.clone() for name, value in encoder.state_dict().items()}
    frames = np.random.default_rng(0).integers(0, 256, (2, 5, 8, 8, 3), dtype=np.uint8)
    one, other = encode_frames(encoder, frames), encode_frames(encoder, frames, batch_size=3)
    assert one.shape == (2, 5, 4 * 6 * 6)
    torch.testing.assert_close(one, other)
    assert encoder.training
    assert all(torch.equal(before[name], value) for name, value in encoder.state_dict().items())


def test_seeds_decide_the_weights():
    a, b, c = (FuturePredictor(FuturePredictorConfig(4, 5, seed=seed)) for seed in (0, 0, 1))
    assert torch.equal(a.readout.weight, b.readout.weight)
    assert not torch.equal(a.readout.weight, c.readout.weight)


def test_bad_input_is_named():
    model = FuturePredictor(FuturePredictorConfig(4, 5))
    with pytest.raises(nk.errors.DataError, match=r"\(trial, time, 4\); got \(2, 9, 3\)"):
        model(torch.zeros(2, 9, 3))
    with pytest.raises(nk.errors.DataError, match=r"seen of bool and shape \(2, 9\)"):
        model(torch.zeros(2, 9, 4), torch.ones(2, 8).bool())
    with pytest.raises(nk.errors.DataError, match="more than 7 frames, the context"):
        model.rollout(torch.zeros(2, 7, 4))
    with pytest.raises(nk.errors.DataError, match="frames of uint8"):
        encode_frames(nn.Identity(), np.zeros((2, 3, 8, 8)))
    with pytest.raises(nk.errors.DataError, match="dynamics is 'gru'"):
        FuturePredictorConfig(4, dynamics="gru")
    with pytest.raises(nk.errors.DataError, match="time_constant is 0.5 frames"):
        FuturePredictorConfig(4, time_constant=0.5)

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
import xarray as xr
from torch import nn

import neurokit as nk
from neurokit.errors import DataError, UnknownNameError
from neurokit.models import Neuroformer, NeuroformerConfig
from neurokit.models.neuroformer import free_running, generation
from neurokit.models.neuroformer.generation import generate, generate_samples
from neurokit.models.neuroformer.sampling import SamplingRule
from neurokit.windows.spike_tokens import EOS, FIRST, PAD, SOS

POISON = 99


def recording(seed=0, n_units=6, duration=3.0, session="a", rate=8.0, beside=False):
    rng = np.random.default_rng(seed)
    n = rng.poisson(rate * n_units * duration)
    units = rng.integers(0, n_units, n)
    units[:n_units] = range(n_units)
    streams = {}
    if beside:
        x = rng.normal(size=(int(100 * duration), 2)).astype(np.float32)
        streams["behaviour"] = nk.Recording.from_array(
            x, 100, ["speed", "pupil"], stream="behaviour", units="z"
        )["behaviour"]
    return nk.Recording.from_spikes(
        rng.uniform(0, duration, n), units, duration, streams=streams, meta={"session": session}
    )


def windows(recs, **changes):
    return nk.windows.spike_windows(recs, **{"length": 0.1, "history": 0.25, **changes})


def network(win, end=3.0, **changes):
    torch.manual_seed(0)
    model = Neuroformer(NeuroformerConfig.of(win, preset="tiny", **changes))
    with torch.no_grad():  # A fresh model is nearly uniform: past and time should matter.
        for parameter in model.parameters():
            parameter.mul_(1.5)
        model.id_head.bias[EOS] += end
    return model


def spikes(rec):
    data = rec["spikes"]
    return data["time"].values, data["id"].values[data["unit"].values]


def same(one, other):
    (t, i), (u, j) = spikes(one), spikes(other)
    return np.array_equal(i, j) and np.allclose(t, u)


class Script(nn.Module):
    """Draws units with given probabilities, the same at each spike; the end is the first."""

    def __init__(self, p, n_steps, step_p=None):
        super().__init__()
        self.config = SimpleNamespace(modalities=())
        none = torch.zeros(2)
        self.id_p = torch.cat([none, torch.as_tensor(p, dtype=torch.float32)])
        steps = torch.ones(n_steps) if step_p is None else torch.as_tensor(step_p)
        self.step_p = torch.cat([none, torch.ones(1), steps])
        self.seen = []

    def check(self, win):
        pass

    def context(self, batch):
        assert set(batch) == {"past_id", "past_step", *(m.name for m in self.config.modalities)}
        self.seen.append((batch["past_id"].clone(), batch["past_step"].clone()))

    def start(self, context, n_rows):
        pass

    def keep(self, rows):
        pass

    def forward(self, token, step):
        return torch.zeros(len(token), 1)

    def id_logits(self, hidden):
        return self.id_p.log().expand(len(hidden), -1)

    def step_logits(self, hidden, token):
        return self.step_p.log().expand(len(hidden), -1)


class Driven(Script):
    """Fires the more, the higher the last sample of behaviour that it was shown."""

    def __init__(self, n_units, n_steps):
        super().__init__([1.0] * (n_units + 1), n_steps)
        self.config = SimpleNamespace(modalities=(SimpleNamespace(name="behaviour"),))

    def context(self, batch):
        super().context(batch)
        self.drive = batch["behaviour"][:, -1, :1]

    def keep(self, rows):
        self.drive = self.drive[rows]

    def forward(self, token, step):
        return self.drive

    def id_logits(self, hidden):
        logits = super().id_logits(hidden).clone()
        logits[:, EOS] -= 2 * hidden[:, 0].tanh()
        return logits


@pytest.fixture(autouse=True)
def scripted(monkeypatch):
    """A script reads nothing, so that it steps by itself."""
    steps = free_running.Stepper
    monkeypatch.setattr(free_running, "Stepper", lambda m: m if isinstance(m, Script) else steps(m))


def as_sets(ids, steps):
    """Each row's spikes, whatever their order inside a step."""
    return [
        sorted((s, i) for i, s in zip(*row, strict=True) if i != PAD)
        for row in zip(ids.tolist(), steps.tolist(), strict=True)
    ]


def test_rates_of_a_known_model_come_out():
    win = windows(recording(n_units=3))
    p = np.array([0.1, 0.5, 0.3, 0.1])  # The end first: nine spikes a window on average.
    made = generate_samples(Script(p, 10), win, n_samples=30, top_p=None, batch_size=64)
    n_windows = 30 * len(win)
    units = np.concatenate([spikes(rec)[1] for rec in made])
    found = np.bincount(units, minlength=3) / n_windows
    np.testing.assert_allclose(found, p[1:] / p[0], rtol=0.1)
    per_window = np.array([spikes(rec)[1].size for rec in made]).sum() / n_windows
    assert per_window == pytest.approx(9, rel=0.1)


def test_history_is_what_windows_of_the_generated_recording_would_read():
    win = windows(recording())
    model = Script([0.2] + [0.8 / 6] * 6, 10)
    made = generate(model, win, seed=3, batch_size=1)
    again = windows(made, vocabulary=win.vocabulary).batch(np.arange(len(win)))
    # The first windows still have true spikes in their past.
    behind = int(np.ceil(win.history / win.length))
    for number in range(behind, len(win)):
        past_id, past_step = model.seen[number]
        wanted = as_sets(again["past_id"][number : number + 1], again["past_step"][[number]])
        assert as_sets(past_id, past_step) == wanted
        order = past_step[past_id != PAD]
        assert (order.diff() >= 0).all()


@pytest.mark.parametrize("beside", [{}, {"behaviour": 0.3}])
@pytest.mark.parametrize("free_running", [True, False])
def test_poison_in_the_future_never_turns_up(free_running, beside):
    clean = recording(beside=True)
    time, ids = spikes(clean)
    poison = np.arange(0.26, 3.0, 0.02)  # All but the past of the first window.
    rec = nk.Recording.from_spikes(
        np.append(time, poison),
        np.append(ids, np.full(poison.size, POISON)),
        3.0,
        streams={"behaviour": clean["behaviour"]},
    )
    win = windows(rec, beside=beside)
    place = win.vocabulary.places("", [POISON])[0] + FIRST
    p = np.full(len(win.vocabulary) + 1, 0.1)
    p[place - EOS] = 0
    model = Script(p, 10)
    model.config.modalities = tuple(SimpleNamespace(name=name) for name in beside)
    made = generate(model, win, free_running=free_running)
    assert POISON not in spikes(made)[1]
    found = any((past == place).any() for past, _ in model.seen)
    assert found != free_running  # The true past, asked for, has it: the test can fail.


def test_warm_up_is_the_true_past_or_none():
    win = windows(recording())
    model = Script([0.5] + [0.1] * 6, 10)
    generate(model, win)
    first = win.batch(np.array([0]))
    assert as_sets(*model.seen[0]) == as_sets(first["past_id"], first["past_step"])
    model.seen.clear()
    generate(model, win, warm_up=False)
    assert (model.seen[0][0] == PAD).all()


def test_one_window_ahead_follows_the_true_past():
    win = windows(recording())
    model = Script([0.5] + [0.1] * 6, 10)
    generate(model, win, free_running=False, batch_size=len(win))
    batch = win.batch(np.arange(len(win)))
    assert as_sets(*model.seen[0]) == as_sets(batch["past_id"], batch["past_step"])


def test_duration_restarts_from_the_true_past():
    win = windows(recording())
    model = Script([0.5] + [0.1] * 6, 10)
    generate(model, win, duration=0.5, batch_size=100)
    starts = np.arange(0, len(win), 5)
    batch = win.batch(starts)
    assert as_sets(*model.seen[0]) == as_sets(batch["past_id"], batch["past_step"])
    assert len(model.seen) == 5


@pytest.mark.parametrize("settings", [{}, {"top_p": None, "top_k": 4, "temperature": 1.5}])
def test_batched_is_single(settings):
    recs = [recording(0), recording(1, duration=1.2), recording(2, duration=2.0, session="b")]
    win = windows(recs)
    model = network(win)
    batches = [
        generate_samples(model, win, n_samples=2, batch_size=n, **settings) for n in (1, 4, 32)
    ]
    assert sum(spikes(rec)[0].size for rec in batches[0]) > 100
    for other in batches[1:]:
        assert all(same(*pair) for pair in zip(batches[0], other, strict=True))


def test_seeds_and_samples():
    win = windows(recording())
    model = network(win)
    one, again, other = (generate(model, win, seed=s) for s in (1, 1, 2))
    assert same(one, again)
    assert not same(one, other)
    samples = generate_samples(model, win, n_samples=2, seed=1)
    assert same(samples[0], one)
    assert not same(*samples)
    # What is generated up to some time does not depend on what comes after it.
    part = generate(model, win.take(np.arange(10)), seed=1)
    stop = part.meta["generated"]["intervals"][0][1]
    assert same(part, one.crop(stop=stop))


@pytest.mark.parametrize("step_given_id", [False, True])
def test_each_draw_is_from_the_logits_of_the_whole_window(step_given_id):
    beside = {"behaviour": 0.3}
    win = windows(recording(beside=True, rate=20.0), beside=beside).take([4])
    model = network(win, end=-3.0, step_given_id=step_given_id, state_layers=2, n_positions=10)
    id_logits, step_logits = model.id_logits, model.step_logits
    ids, steps = [], []
    model.id_logits = lambda hidden: ids.append(id_logits(hidden)) or ids[-1]
    model.step_logits = lambda hidden, id: steps.append(step_logits(hidden, id)) or steps[-1]
    settings = free_running.Settings(SamplingRule(), limit=100, warm_up=True, seed=0)
    run = free_running.FreeRun(
        model.eval(), win, [(np.array([0]), 0)], settings, torch.device("cpu")
    )
    with torch.inference_mode():
        ((_, tokens),) = run
    del model.id_logits, model.step_logits
    n = tokens.id.shape[1]
    assert n > 10  # More than there are positions with vectors of their own.
    start, end = (torch.full((1, 1), token) for token in (SOS, EOS))
    batch = win.batch([0])
    batch["id"] = torch.cat([start, tokens.id, end], dim=1)
    batch["step"] = torch.cat([start, tokens.step, end], dim=1)
    whole = model(batch)
    for found, wanted in ((ids, whole.id_logits), (steps, whole.step_logits)):
        torch.testing.assert_close(torch.stack(found[:n], 1), wanted[:, :n], atol=1e-4, rtol=0)


def test_units_of_another_session_are_never_drawn():
    recs = [recording(0), recording(1, session="b", n_units=4)]
    win = windows(recs)
    model = Script([0.2] + [0.08] * 10, 10)
    made = generate_samples(model, win)
    assert set(spikes(made[0])[1]) == set(range(6))
    assert set(spikes(made[1])[1]) == set(range(4))
    assert made[1]["spikes"].sizes["unit"] == 4


def test_units_that_were_silent_in_the_test_recording_are_drawn_too():
    facts = pd.DataFrame({
        "id": [7, 3], "region": ["V1", "AL"], "depth": [0.5, 1.5], "channel": [4, 2],
        "good": [True, False],
    })  # fmt: skip
    train = recording()
    test = nk.Recording.from_spikes([0.1, 1.2], [3, 3], 3.0, unit_table=facts, meta=train.meta)
    words = windows(train).vocabulary
    win = windows(test, vocabulary=words.extend(test)).take([0, 1])
    made = generate(Script([0.3] + [0.1] * 7, 10), win)
    assert made["spikes"]["id"].values.tolist() == [7, 3, 0, 1, 2, 4, 5]
    test = test.sel(unit=[3])
    win = windows(test, vocabulary=words)
    model = Script([0.3] + [0.7 / 6] * 6, 10)
    long, short = (generate(model, win.take(range(n)), top_p=None) for n in (27, 1))
    assert set(spikes(long)[1]) == set(range(6))
    for made in (long, short):
        units = made["spikes"]
        assert units["id"].values.tolist() == [3, 0, 1, 2, 4, 5]
        assert units["region"].values.tolist() == ["AL", "", "", "", "", ""]
        for name, value in {"depth": 1.5, "channel": 2, "good": 0}.items():
            np.testing.assert_array_equal(units[name], [value, *[np.nan] * 5])


def test_a_unit_table_that_lacks_nothing_stays_as_it_is():
    train = recording()
    facts = pd.DataFrame({"id": np.arange(6), "channel": np.arange(6), "good": np.arange(6) > 2})
    rec = nk.Recording.from_spikes(*spikes(train), 3.0, unit_table=facts)
    win = windows(rec)
    made = generate(Script([0.3] + [0.1] * 6, 10), win)["spikes"]
    for name in facts:
        assert made[name].dtype == rec["spikes"][name].dtype
        np.testing.assert_array_equal(made[name], rec["spikes"][name])


def test_what_is_withheld_drives_nothing():
    rec = recording(beside=True, duration=20.0)
    win = windows(rec, beside={"behaviour": 0.3})
    model = Driven(6, 10)
    last = win.batch(np.arange(len(win)))["behaviour"][:, -1, 0].numpy()
    found = {}
    for given in (None, ["behaviour"], []):
        made = generate(model, win, given=given, top_p=None, batch_size=len(win))
        edges = np.append(win.start, win.start[-1] + win.length)
        counts, _ = np.histogram(spikes(made)[0], edges)
        found[str(given)] = np.corrcoef(last, np.sqrt(counts))[0, 1]
        assert made.meta["generated"]["given"] == (["behaviour"] if given is None else given)
    assert found["None"] == found["['behaviour']"] > 0.5
    assert abs(found["[]"]) < 3 / np.sqrt(len(win))


def test_windows_with_gaps_follow_their_true_past_and_it_is_said():
    win = windows(recording())
    model = Script([0.5] + [0.1] * 6, 10)
    with pytest.warns(UserWarning, match="gaps between all 10 windows"):
        made = generate(model, win.take(range(0, 20, 2)))
    assert made.meta["generated"]["n_stretches"] == 10
    told = [
        generate(model, win.take(rows), **settings).meta["generated"]["n_stretches"]
        for rows, settings in (
            ([4], {}),
            ([0, 1, 4], {}),
            (range(20), {}),
            (range(20), {"duration": 0.5}),
            (range(0, 20, 2), {"free_running": False}),
        )
    ]
    assert told == [1, 2, 1, 4, 10]


def test_stretches_are_counted_in_each_recording():
    win = windows([recording(duration=1.0), recording(1, duration=2.0)])
    made = generate_samples(Script([0.5] + [0.1] * 6, 10), win, duration=0.5)
    assert [rec.meta["generated"]["n_stretches"] for rec in made] == [2, 4]


def test_windows_that_are_cut_off_are_counted():
    win = windows(recording(), length=0.5)
    model = Script([1e-6] + [0.16] * 6, 50)
    with pytest.warns(UserWarning, match=r"5 of 5 windows were cut off at max_spikes = 7"):
        made = generate(model, win, max_spikes=7)
    assert spikes(made)[0].size == 35


def test_the_past_may_be_longer_than_a_block_of_draws():
    win = windows(recording()).take(np.arange(4))
    model = Script([0.005] + [0.995 / 6] * 6, 10)
    alone = generate_samples(model, win, n_samples=3, batch_size=1, top_p=None, max_spikes=2000)
    beside = generate_samples(model, win, n_samples=3, batch_size=3, top_p=None, max_spikes=2000)
    assert all(same(*pair) for pair in zip(alone, beside, strict=True))
    assert max(spikes(rec)[0].size for rec in alone) > 64 * len(win)


@pytest.mark.parametrize("free_running", [True, False])
def test_time_does_not_run_backwards(free_running, monkeypatch):
    win = windows(recording())
    seen = []
    timed = generation._timed
    monkeypatch.setattr(generation, "_timed", lambda *args: seen.append(args[-1]) or timed(*args))
    # Steps as likely backwards as forwards, were it not forbidden.
    generate(Script([0.1] + [0.15] * 6, 10), win, free_running=free_running, top_p=None)
    assert sum(tokens.id.shape[1] for tokens in seen) > 20
    for tokens in seen:
        forward = (tokens.step.diff(dim=1) >= 0) | (tokens.id[:, 1:] == PAD)
        assert forward.all()
        inside = tokens.step[tokens.id != PAD]
        assert ((inside >= FIRST) & (inside < FIRST + win.n_samples)).all()


def test_behaviour_is_the_true_one():
    rec = recording(beside=True)
    changed = rec.replace(streams={**rec.streams, "behaviour": -rec["behaviour"]})
    made = []
    for source in (rec, changed):
        win = windows(source, beside={"behaviour": 0.3})
        made.append(generate(network(win), win))
    assert not same(*made)
    xr.testing.assert_equal(made[1]["behaviour"], changed["behaviour"])


def test_the_recording_says_what_it_is(tmp_path):
    rec = recording()
    win = windows(rec)
    made = generate(network(win), win, seed=7)
    assert (made.start, made.stop) == (rec.start, rec.stop)
    np.testing.assert_array_equal(made["spikes"]["id"], rec["spikes"]["id"])
    told = made.meta["generated"]
    assert (told["model"], told["seed"], told["rule"]["top_p"]) == ("Neuroformer", 7, 0.95)
    assert "generate" in made.meta["history"][-1]
    assert told["intervals"] == [[pytest.approx(0.25), pytest.approx(2.95)]]
    made.save(tmp_path / "made.zarr")
    assert same(nk.Recording.open(tmp_path / "made.zarr"), made)


def test_the_model_comes_back_as_it_was():
    win = windows(recording())
    model = network(win).train()
    generate(model, win.take([0, 1]))
    assert model.training
    assert model.loss(win.batch(np.arange(4)))["loss"].requires_grad

    def interrupted(batch):
        raise KeyboardInterrupt

    model.context = interrupted
    with pytest.raises(KeyboardInterrupt, match="^$"):
        generate(model, win)
    assert model.training


def test_bad_input_is_refused():
    win = windows(recording())
    model = Script([0.5] + [0.1] * 6, 10)
    with pytest.raises(DataError, match="Windows overlap"):
        generate(model, windows(recording(), stride=0.05))
    with pytest.raises(DataError, match="Windows lie in 2 recordings"):
        generate(model, windows([recording(), recording(1)]))
    with pytest.raises(DataError, match="less than a window of 0.1 s"):
        generate(model, win, duration=0.01)
    with pytest.raises(DataError, match="top_p is 2"):
        generate(model, win, top_p=2)
    with pytest.raises(UnknownNameError, match="Unknown stream that the model reads 'stimulus'"):
        generate(model, win, given=["stimulus"])
    with pytest.raises(DataError, match="given is 'behaviour'"):
        generate(model, win, given="behaviour")
    with pytest.raises(DataError, match="batch_size is '8' .*expected a whole number, 1 or more"):
        generate(model, win, batch_size="8")
    broken = network(win)
    with torch.no_grad():
        broken.id_head.weight.fill_(torch.nan)
        next(broken.parameters()).fill_(torch.nan)
    with pytest.raises(DataError, match="not finite"):
        generate(broken, win)

"""What a model says of a recording, it says of the units of that recording's session alone."""

import numpy as np
import pytest
import torch
import xarray as xr

import neurokit as nk
from neurokit.errors import DataError
from neurokit.models import Neuroformer, NeuroformerConfig
from neurokit.models.neuroformer import (
    perturbation_effects,
    unexplained_effects,
    window_likelihood,
)
from neurokit.models.neuroformer.unit_pairs import impossible_ids, session_places
from neurokit.windows.spike_tokens import EOS, FIRST

CUT = {"length": 0.1, "history": 0.2}


def session(name, n_units, seed):
    rng = np.random.default_rng(seed)
    n = 60 * n_units
    meta = {} if name is None else {"session": name}
    time, ids = rng.uniform(0, 6, n), rng.permutation(np.arange(n) % n_units)
    return nk.Recording.from_spikes(time, ids, 6.0, meta=meta)


@pytest.fixture(scope="module")
def recs():
    return [session("a", 4, 0), session("b", 7, 1)]


@pytest.fixture(scope="module")
def both(recs):
    return nk.windows.spike_windows(recs, **CUT)


@pytest.fixture(scope="module")
def model(both):
    return Neuroformer(NeuroformerConfig.of(both, width=16)).eval()


def of_one_session(model, win, places):
    """Make a model that never heard of other units, and is the same one in all else."""
    small = Neuroformer(NeuroformerConfig.of(win, width=16)).eval()
    rows = torch.cat([torch.arange(FIRST), torch.from_numpy(places) + FIRST])
    state = model.state_dict()
    for name in ("body.embedding.unit.weight", "id_head.weight", "id_head.bias"):
        state[name] = state[name][rows]
    small.load_state_dict(state)
    return small


def cut_alone(rec, both):
    """Cut windows of one session, of two sessions' units and of its own."""
    words = (both.vocabulary, None)
    return [nk.windows.spike_windows(rec, **CUT, vocabulary=some) for some in words]


@pytest.mark.parametrize("number", [0, 1])
def test_units_of_other_sessions_take_no_probability(model, recs, both, number):
    mine, alone = cut_alone(recs[number], both)
    small = of_one_session(model, alone, session_places(mine))
    wanted, found = (window_likelihood(m, w) for m, w in ((small, alone), (model, mine)))
    for name in ("token_loss", "log_likelihood"):
        np.testing.assert_allclose(found[name], wanted[name], rtol=1e-5)
    rows = both.recording_index == number
    together = window_likelihood(model, both)["token_loss"][rows]
    apart = window_likelihood(model, both.take(rows))["token_loss"]
    np.testing.assert_allclose(together, apart, rtol=1e-5)


@pytest.mark.parametrize("effects", [perturbation_effects, unexplained_effects])
def test_effects_are_those_in_a_model_of_one_session(model, recs, both, effects):
    mine, alone = cut_alone(recs[1], both)
    small = of_one_session(model, alone, session_places(mine))
    pairs = ((small, alone), (model, mine))
    settings = {"n_contexts": 20} if effects is perturbation_effects else {}
    wanted, found = (effects(m, w, device="cpu", **settings) for m, w in pairs)
    xr.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-6)


def test_what_cannot_follow_takes_no_probability(model, recs):
    alone = nk.windows.spike_windows(recs[0], **CUT)
    one = Neuroformer(NeuroformerConfig.of(alone, width=16)).eval()
    measures = (
        lambda: window_likelihood(one, alone)["log_likelihood"],
        lambda: unexplained_effects(one, alone, device="cpu")["effect"],
        lambda: perturbation_effects(one, alone, n_contexts=20, device="cpu"),
    )
    before = [measure() for measure in measures]
    with torch.no_grad():
        one.id_head.bias[:EOS] += 5
    for wanted, measure in zip(before, measures, strict=True):
        np.testing.assert_allclose(measure(), wanted, rtol=1e-4, atol=1e-6)


def test_no_unit_is_impossible_in_one_session(recs):
    again = recs[0].crop(stop=3.0)
    assert not impossible_ids(nk.windows.spike_windows([recs[0], again], **CUT))[:, EOS:].any()


@pytest.mark.parametrize("names", [("a", "b"), (None, "b"), ("b", None)])
def test_what_is_advised_of_several_sessions_helps(names):
    win = nk.windows.spike_windows([session(name, 3, 2) for name in names], **CUT)
    with pytest.raises(DataError, match="are of 2 sessions") as caught:
        session_places(win)
    advice = str(caught.value).rsplit("win.take(", 1)[1].removesuffix(".")
    part = eval("win.take(" + advice, {"win": win, "numpy": np})
    assert len(session_places(part)) == 3
    assert len(part) == len(win) // 2

"""Batches for an evaluation: every window once, and the model comes back as it was."""

import numpy as np
import pytest
import torch
from torch import nn

from neurokit.errors import DataError
from neurokit.models.nn import evaluation_batches
from neurokit.recording import Recording
from neurokit.windows import sliding


@pytest.fixture
def win():
    values = np.arange(14.0)[:, None]
    return sliding(Recording.from_array(values, 1, stream="bold"), stream="bold", length=2)


@pytest.fixture
def model():
    """In training, but for a part that is frozen."""
    made = nn.Sequential(nn.Linear(2, 2), nn.Dropout(), nn.BatchNorm1d(2))
    made[2].eval()
    return made


def modes(model):
    return [part.training for part in model.modules()]


@pytest.mark.parametrize("size", [1, 3, 7, 50])
def test_every_window_comes_once_and_in_order(win, model, size):
    before, seen = modes(model), []
    for rows, batch in evaluation_batches(model, win, batch_size=size):
        assert not any(modes(model))
        assert len(rows) <= size
        assert torch.equal(batch["x"], win.batch(rows)["x"])
        seen += rows.tolist()
    assert seen == list(range(len(win)))
    assert modes(model) == before


def test_the_model_comes_back_when_the_loop_is_left(win, model):
    before = modes(model)
    for _ in evaluation_batches(model, win, batch_size=2):
        break
    assert modes(model) == before


def test_the_model_comes_back_after_an_error_that_is_kept(win, model):
    def fail():
        for _ in evaluation_batches(model, win, batch_size=2):
            raise RuntimeError("no more")

    before = modes(model)
    with pytest.raises(RuntimeError, match="no more") as caught:
        fail()
    # Its traceback holds on to what the loop was doing.
    assert caught.value.__traceback__ is not None
    assert modes(model) == before


def test_a_loop_inside_a_generator_gives_the_model_back_too(win, model):
    def doubled():
        for _, batch in evaluation_batches(model, win, batch_size=2):
            yield 2 * batch["x"]

    before = modes(model)
    for _ in doubled():
        break
    assert modes(model) == before


def test_gradients_are_the_callers(win, model):
    for _, batch in evaluation_batches(model, win, batch_size=7):
        assert model(batch["x"].squeeze(-1)).requires_grad
    with torch.no_grad():
        for _, batch in evaluation_batches(model, win, batch_size=7):
            assert not model(batch["x"].squeeze(-1)).requires_grad


@pytest.mark.parametrize("size", [0, -1, 2.5, "4"])
def test_bad_sizes_are_refused(win, model, size):
    before = modes(model)
    with pytest.raises(DataError, match="batch_size"):
        next(evaluation_batches(model, win, batch_size=size))
    assert modes(model) == before


def test_bars_show_on_demand_only(win, model, capsys):
    list(evaluation_batches(model, win, batch_size=2, desc="quiet"))
    assert capsys.readouterr().err == ""
    list(evaluation_batches(model, win, batch_size=2, desc="aloud", progress=True))
    assert "aloud" in capsys.readouterr().err

"""Settings: presets of the paper's size, and clear words where they make no model."""

import dataclasses

import numpy as np
import pytest
import torch

import neurokit as nk
from neurokit.errors import DataError, UnknownNameError
from neurokit.models import Neuroformer, NeuroformerConfig
from neurokit.models.neuroformer import Modality
from neurokit.models.neuroformer.labels import classes_of
from neurokit.models.neuroformer.presets import PRESETS

# Millions of parameters that the paper tells, of models that do not read behaviour.
PUBLISHED = {"v1al": 24, "visnav_medial": 25, "visnav_lateral": 25}


def size(config):
    with torch.device("meta"):
        model = Neuroformer(config)
    return sum(p.numel() for p in model.parameters()) / 1e6


@pytest.mark.parametrize("name", PUBLISHED)
def test_presets_are_as_large_as_published(name):
    config = NeuroformerConfig.preset(name)
    seen = tuple(m for m in config.modalities if m.kind == "frames")
    assert size(dataclasses.replace(config, modalities=seen)) == pytest.approx(
        PUBLISHED[name], rel=0.025
    )
    # What reads behaviour comes on top: two blocks, each with two attentions and an MLP.
    blocks = sum(m.layers for m in config.modalities if m.kind == "variables")
    more = size(config) - size(dataclasses.replace(config, modalities=seen))
    assert more == pytest.approx(blocks * 16 * config.width**2 / 1e6, rel=0.01)


def test_the_random_network_is_as_large_as_published():
    assert 16 <= size(NeuroformerConfig.preset("random_network")) <= 26


@pytest.mark.parametrize("name", PRESETS)
def test_presets_have_whole_steps(name):
    config = NeuroformerConfig.preset(name, seed=4)
    assert config.seed == 4
    assert config.n_steps * config.dt == pytest.approx(config.length)
    assert config.n_past_steps * config.dt == pytest.approx(config.history)


def test_the_same_seed_is_the_same_model():
    models = [Neuroformer(NeuroformerConfig.preset("tiny", seed=seed)) for seed in (1, 1, 2)]
    first, second, other = (model.id_head.weight for model in models)
    assert torch.equal(first, second)
    assert not torch.equal(first, other)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n_units": 0}, "n_units is 0"),
        ({"width": 30, "n_heads": 4}, "width is 30"),
        ({"length": 0.055}, r"length is 0.055 s, 5.5 steps of 0.01 s"),
        ({"history": -1.0}, r"history \(s\) is -1.0"),
        ({"dropout": 1.0}, "dropout is 1.0"),
        ({"contrastive": 0.25}, "compares spikes with modalities"),
        ({"target_classes": 1}, "target_classes is 1, expected at least 2"),
        ({"target_range": (1.0, 1.0)}, "the low one first"),
        ({"target_range": (0, 1, 2)}, r"target_range is \(0, 1, 2\), expected \(low, high\)"),
        ({"target_range": 3}, r"target_range is 3 \(int\), expected a list of numbers"),
        ({"target_range": ((0, 1), (0, 2))}, "2 ranges for 0 targets"),
        ({"target_range": np.array(3.0)}, "target_range is 3.0"),
        ({"target_range": [[0, 8, [1]]]}, r"target_range is \[1\] \(list\), expected a"),
        ({"target_mean": 0.5}, r"target_mean is 0.5 \(float\), expected a list of numbers"),
        ({"target_classes": 2.5}, "target_classes is 2.5"),
        ({"state_layers": 0, "history_layers": 0, "final_layers": 0}, "at least one layer"),
        ({"vocabulary": (("", 1), ("", 1)), "n_units": 2}, "1 different units"),
        ({"modalities": (Modality("a"), Modality("a"))}, "expected a name once"),
        ({"step_given_id": 1}, "step_given_id is 1"),
    ],
)
def test_settings_that_make_no_model_are_refused(changes, message):
    with pytest.raises(DataError, match=message):
        NeuroformerConfig.preset("tiny", **changes)


def test_unknown_names_get_a_suggestion():
    with pytest.raises(UnknownNameError, match="visnav_medial"):
        NeuroformerConfig.preset("visnav_medal")
    with pytest.raises(UnknownNameError, match="Did you mean 'history_layers'"):
        NeuroformerConfig.preset("tiny", histry_layers=2)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"name": "past_id"}, "cannot be called 'past_id'"),
        ({"name": "a.b"}, "cannot be called"),
        ({"name": "x", "kind": "video"}, "The kind of x is 'video'"),
        ({"name": "x", "kind": "frames", "frame_shape": (9,)}, r"Expected frame_shape"),
        ({"name": "x", "n_variables": 0}, "n_variables of x is 0"),
    ],
)
def test_modalities_that_are_none_are_refused(settings, message):
    with pytest.raises(DataError, match=message):
        Modality(**settings)


def test_settings_are_taken_from_windows():
    rec = nk.Recording.from_spikes([0.1, 0.4, 0.7], [3, 5, 3], duration=1.0)
    speed = nk.Recording.from_array([[0.0], [1.0]] * 50, 100, stream="behaviour")
    streams = {"spikes": rec["spikes"], "behaviour": speed["behaviour"]}
    rec = rec.replace(streams={**streams, "stimulus": speed["behaviour"].rename("stimulus")})
    name = str(rec["behaviour"].coords[rec["behaviour"].dims[1]].values[0])
    win = nk.windows.spike_windows(
        rec, length=0.1, history=0.2, beside={"stimulus": 0.3}, targets={"behaviour": [name]}
    )
    config = NeuroformerConfig.of(win, "visnav_medial", width=64)
    assert (config.n_units, config.width, config.n_steps, config.n_past_steps) == (2, 64, 10, 20)
    assert config.vocabulary == (("", 3), ("", 5))
    (modality,) = config.modalities
    assert (modality.name, modality.shape, modality.layers) == ("stimulus", (30, 1), 2)
    assert config.targets == tuple(win.target_names)
    Neuroformer(NeuroformerConfig.of(win)).check(win)


def test_a_model_does_not_read_its_answer():
    rec = nk.Recording.from_spikes([0.1, 0.4, 0.7], [3, 5, 3], duration=1.0)
    speed = nk.Recording.from_array([[0.0], [1.0]] * 50, 100, ["speed"], stream="behaviour")
    rec = rec.replace(streams={"spikes": rec["spikes"], "behaviour": speed["behaviour"]})
    both = {"beside": {"behaviour": 0.3}, "targets": {"behaviour": ["speed"]}}
    win = nk.windows.spike_windows(rec, length=0.1, history=0.2, **both)
    with pytest.raises(DataError, match="'speed' is part of the stream 'behaviour'"):
        Neuroformer(NeuroformerConfig.of(win)).check(win)
    Neuroformer(NeuroformerConfig.of(win, targets=())).check(win)
    Neuroformer(NeuroformerConfig.of(win, modalities=())).check(win)


def test_vocabularies_grow_behind():
    config = NeuroformerConfig(n_units=2, vocabulary=(("a", 1), ("a", 2)))
    assert config.grown((("a", 1), ("a", 2), ("b", 1))).n_units == 3
    with pytest.raises(DataError, match="do not begin with them"):
        config.grown((("a", 1),))


def labelled(values, spikes=(0.1, 0.2, 0.25)):
    """Make windows of a tenth of a second that have one label each, from the second value on."""
    values = np.asarray(values, dtype=np.float64)
    beside = nk.Recording.from_array(values[:, None].repeat(10, 0), 100, ["label"], "behaviour")
    rec = nk.Recording.from_spikes(spikes, [0] * len(spikes), len(values) / 10)
    rec = rec.replace(streams={"spikes": rec["spikes"], "behaviour": beside["behaviour"]})
    targets = {"behaviour": ["label"]}
    return nk.windows.spike_windows(rec, length=0.1, history=0.1, targets=targets)


def bins_of(model, values):
    head = model.target_head
    return classes_of(torch.from_numpy(values), head.limits, head.n_classes)


@pytest.mark.parametrize(
    ("values", "classes"),
    [
        ([0, 1, 0, 1, 1], 2),
        ([0, 1, 2, 3, 0], 4),
        ([0, 0, 2, 1, 2], 4),  # nobody's last class
        ([5, 5, 7, 6, 5], 3),
        ([0, 1, 0.4, 2, 1], 4),  # it changes inside a window
        ([-1, -1, 1, 1, -1], 2),
        ([0.0, 0.0, 0.4, 1.0, 1.0], 2),
    ],
)
def test_each_class_has_a_bin_of_its_own(values, classes):
    win = labelled([0, *values, np.nan])
    config = NeuroformerConfig.of(win, target_classes=classes)
    model = Neuroformer(config)
    model.check(win)
    label = win.targets[:, 0]
    known = ~np.isnan(label)
    bins = bins_of(model, label[known, None])[:, 0].numpy()
    whole = set(values) - {0.4}
    for each in whole:
        assert len(set(bins[label[known] == each])) == 1
    assert len(set(bins)) == len(whole)
    if all(0 <= value < classes == 4 for value in values):
        assert bins.tolist() == label[known].round().tolist()
        centres = model.target_head.centres(torch.empty(0))
        torch.testing.assert_close(centres, torch.arange(4.0)[None])
    given = NeuroformerConfig.of(win, target_classes=2, target_range=(0, 9))
    assert given.target_ranges == ((0, 9),)


def test_each_target_has_a_range_of_its_own(tmp_path):
    time = np.arange(100)
    values = {"speed": time * 0.3, "heading": time % 7, "choice": time // 10 % 2}
    columns = np.stack(list(values.values()), axis=1).astype(float).repeat(10, 0)
    beside = nk.Recording.from_array(columns, 100, list(values), "behaviour")
    rec = nk.Recording.from_spikes([0.1, 0.2], [0, 0], 10.0, streams=beside.streams)
    cut = {"length": 0.1, "history": 0.1, "targets": {"behaviour": list(values)}}
    win = nk.windows.spike_windows(rec, **cut)
    config = NeuroformerConfig.of(win, target_classes=2.0)
    expected = [[0.3, 29.7], [0, 6], [-0.5, 1.5]]
    np.testing.assert_allclose(config.target_ranges, expected, atol=1e-5)
    model = Neuroformer(config)
    model.check(win)
    bins = bins_of(model, win.targets)
    assert bins.float().mean(dim=0).tolist() == pytest.approx([0.5, 4 / 7, 0.5], abs=0.03)
    torch.testing.assert_close(bins[:, 2], torch.from_numpy(win.targets[:, 2]).long())
    centres = model.target_head.centres(torch.empty(0))
    torch.testing.assert_close(centres[1:], torch.tensor([[1.5, 4.5], [0.0, 1.0]]))
    model.save_pretrained(tmp_path)
    assert Neuroformer.from_pretrained(tmp_path).config == config
    assert config.target_classes == 2
    with pytest.raises(DataError, match="2 ranges for 3 targets"):
        NeuroformerConfig.of(win, target_range=((0, 1), (0, 2)))


def test_the_scale_of_targets_is_that_of_the_training_windows(tmp_path):
    win = labelled([99, 10, 20, np.nan, 30, 20])
    config = NeuroformerConfig.of(win)
    assert config.target_mean == pytest.approx((20.0,))
    assert config.target_spread == pytest.approx((50**0.5,))
    Neuroformer(config).save_pretrained(tmp_path)
    assert Neuroformer.from_pretrained(tmp_path).config == config
    assert NeuroformerConfig.of(labelled([3, 3, 3])).target_spread == (1.0,)
    assert NeuroformerConfig.of(win, targets=()).target_mean == ()
    with pytest.raises(DataError, match="target_mean has 2 values for 1 targets"):
        NeuroformerConfig.of(win, target_mean=(0, 0))
    with pytest.raises(DataError, match="expected more than 0"):
        NeuroformerConfig.of(win, target_spread=(0.0,))


def test_full_windows_have_as_many_positions_as_spikes():
    dense = labelled(np.zeros(9), spikes=np.linspace(0.2, 0.2999, 150))
    assert 145 < NeuroformerConfig.of(dense).n_positions <= 151
    assert NeuroformerConfig.of(dense, n_positions=16).n_positions == 16
    assert NeuroformerConfig.of(dense, "visnav_medial").n_positions == 256
    assert NeuroformerConfig.of(labelled(np.zeros(9))).n_positions == 64
    # One window in more than a hundred teaches no position.
    alone = labelled(np.zeros(300), spikes=np.linspace(0.2, 0.2999, 150))
    assert NeuroformerConfig.of(alone).n_positions == 64

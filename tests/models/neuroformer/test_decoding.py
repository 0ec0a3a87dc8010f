"""Heads are added to what was learnt, which pays where labels are few."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import neurokit as nk
from neurokit.errors import DataError, UnknownNameError
from neurokit.models.neuroformer import Neuroformer, NeuroformerConfig, score_behaviour
from neurokit.models.neuroformer.blocks import blocks_of
from neurokit.models.neuroformer.decoding import direction_variables, read_behaviour, with_targets
from neurokit.models.neuroformer.glm import step_counts

LATENT = {"length": 0.1, "history": 0.2, "dt": 0.05}


@pytest.fixture(scope="module")
def recording() -> nk.Recording:
    rec = nk.datasets.simulate_latent_population(n_units=6, duration=20.0, seed=4)
    return nk.preprocessing.standardize(rec, "behaviour")


def windows(rec: nk.Recording, *targets: str) -> nk.windows.SpikeWindows:
    wanted = {"behaviour": list(targets)} if targets else None
    return nk.windows.spike_windows(rec, targets=wanted, **LATENT)


def test_a_head_is_added_and_all_else_kept(recording: nk.Recording) -> None:
    plain, labelled = windows(recording), windows(recording, "speed", "pupil")
    model = Neuroformer(NeuroformerConfig.of(plain, width=16, seed=3)).eval()
    tuned = with_targets(model, labelled.target_names, seed=8).eval()
    batch = labelled.batch(np.arange(20))
    assert torch.equal(model.represent(batch), tuned.represent(batch))
    assert tuned.read_target(batch).shape == (20, 2)
    assert tuned.config.seed == 3
    assert model.config.targets == ()
    again = with_targets(model, ["speed", "pupil"], seed=9).eval()
    assert not torch.equal(again.read_target(batch), tuned.read_target(batch))


def test_fine_tuning_leaves_the_pretrained_model_alone(recording: nk.Recording) -> None:
    labelled = windows(recording, "speed")
    model = Neuroformer(NeuroformerConfig.of(windows(recording), width=16))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    tuned = with_targets(model, ["speed"])
    run = nk.training.fit(
        tuned, labelled, epochs=6, batch_size=32, lr=3e-3, device="cpu", progress=False
    )
    assert run.history["target_loss"].iloc[-1] < 0.9 * run.history["target_loss"].iloc[0]
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_a_head_of_classes_reads_values_in_the_targets_unit(recording: nk.Recording) -> None:
    labelled = windows(recording, "speed")
    model = Neuroformer(NeuroformerConfig.of(windows(recording), width=16))
    tuned = with_targets(model, ["speed"], target_classes=5, target_range=(-2.0, 2.0))
    found = read_behaviour(tuned, labelled, device="cpu")
    assert (abs(found["predicted"]) < 2).all()


def test_two_choices_are_told_apart_by_the_settings_of_their_windows() -> None:
    rng = np.random.default_rng(2)
    choice = np.arange(1200) // 100 % 2
    n = rng.poisson(np.where(choice[:, None] == [0, 1, 1], 1.0, 0.05), (1200, 3))
    step, unit = np.repeat(np.stack(np.nonzero(n)), n[np.nonzero(n)], axis=1)
    beside = nk.Recording.from_array(choice[:, None], 20, ["choice"], "behaviour")["behaviour"]
    times = (step + rng.uniform(0, 1, step.size)) / 20
    rec = nk.Recording.from_spikes(times, unit, 60.0, streams={"behaviour": beside})
    cut = {"length": 0.2, "history": 0.1, "dt": 0.02, "targets": {"behaviour": ["choice"]}}
    win = nk.windows.spike_windows(rec, **cut)
    train, test = list(nk.windows.split_contiguous(win, 3))[-1]
    model = Neuroformer(NeuroformerConfig.of(train, width=16, n_heads=2, target_classes=2))
    nk.training.fit(model, train, epochs=5, batch_size=16, lr=5e-3, device="cpu", progress=False)
    found = read_behaviour(model, test, device="cpu").sel(target="choice")
    assert found["class"].values.tolist() == found["middle"].values.tolist() == [0, 1]
    assert set(found["true"].values) == {0, 0.5, 1}
    np.testing.assert_array_equal(found["true_class"], found["true"] >= 0.5)
    probability = found["probability"]
    np.testing.assert_allclose(probability.sum("class"), 1, rtol=1e-5)
    np.testing.assert_allclose(found["predicted"], probability.sel({"class": 1}), atol=1e-6)
    score = score_behaviour(found["true_class"], probability, blocks_of(test, 2.0)).to_dataframe()
    assert score.loc["auroc", "score"] > 0.9
    assert score.loc["balanced_accuracy", "low"] > score.loc["balanced_accuracy", "chance"]


def test_targets_in_any_unit_teach_the_same() -> None:
    rec = nk.datasets.simulate_latent_population(n_units=6, duration=20.0, seed=4)
    read = {}
    for name, one in {"raw": rec, "z": nk.preprocessing.standardize(rec, "behaviour")}.items():
        labelled = windows(one, "speed", "pupil")
        model = Neuroformer(NeuroformerConfig.of(labelled, width=16))
        tuned = with_targets(
            Neuroformer(NeuroformerConfig.of(windows(one), width=16)),
            ["speed", "pupil"],
            win=labelled,
        )
        assert tuned.config == model.config
        run = nk.training.fit(
            tuned, labelled, epochs=2, batch_size=32, lr=3e-3, device="cpu", progress=False
        )
        found = read_behaviour(tuned, labelled, device="cpu")["predicted"].values
        true = labelled.targets
        assert run.history["target_loss"].iloc[0] < 1.5
        # In the targets' own unit.
        assert (abs(found.mean(axis=0) - true.mean(axis=0)) < 0.5 * true.std(axis=0)).all()
        read[name] = (found - true.mean(axis=0)) / true.std(axis=0), run.history["loss"]
    np.testing.assert_allclose(read["raw"][0], read["z"][0], atol=0.02)
    np.testing.assert_allclose(read["raw"][1], read["z"][1], rtol=1e-3)


def test_a_new_head_knows_its_own_labels_only(recording: nk.Recording) -> None:
    labelled = windows(recording, "speed", "pupil")
    model = Neuroformer(NeuroformerConfig.of(labelled, width=16))
    assert with_targets(model, ["speed"]).config.target_mean == ()
    classes = with_targets(model, ["speed", "pupil"], win=labelled, target_classes=4).config
    ends = [labelled.targets.min(axis=0), labelled.targets.max(axis=0)]
    np.testing.assert_allclose(classes.target_ranges, np.transpose(ends), atol=1e-6)
    assert classes.target_mean == ()
    other = with_targets(Neuroformer(classes), ["depth"], target_classes=3).config
    assert other.target_ranges == ((-3.0, 3.0),)
    with pytest.raises(DataError, match=r"windows have targets \('speed', 'pupil'\), not"):
        with_targets(model, ["speed"], win=labelled)


def test_half_precision_reads_alike(recording: nk.Recording) -> None:
    labelled = windows(recording, "speed", "pupil")
    for classes in (0, 3):
        model = Neuroformer(NeuroformerConfig.of(labelled, width=16, target_classes=classes))
        expected = read_behaviour(model, labelled, device="cpu")
        found = read_behaviour(model.bfloat16(), labelled, device="cpu")
        np.testing.assert_allclose(found["predicted"], expected["predicted"], atol=0.2)


def test_settings_that_make_another_network_are_refused(recording: nk.Recording) -> None:
    plain = Neuroformer(NeuroformerConfig.of(windows(recording), width=16))
    with pytest.raises(UnknownNameError, match="Unknown setting 'dropuot'. Did you mean 'dropout'"):
        with_targets(plain, ["speed"], dropuot=0.1)
    with pytest.raises(DataError, match="expected windows with targets"):
        with_targets(plain, ["speed"], win=5)
    model = Neuroformer(NeuroformerConfig.of(windows(recording), width=16))
    with pytest.raises(DataError, match="another network"):
        with_targets(model, ["speed"], width=32)
    with pytest.raises(DataError, match="another network"):
        with_targets(model, ["speed"], final_layers=0)
    with pytest.raises(DataError, match="got none"):
        with_targets(model, [])


def test_reading_is_the_same_in_batches_and_keeps_the_truth(recording: nk.Recording) -> None:
    labelled = windows(recording, "pupil")
    model = Neuroformer(NeuroformerConfig.of(labelled, width=16)).eval()
    found = read_behaviour(model, labelled, batch_size=7, device="cpu")
    batch = labelled.batch(np.arange(len(labelled)))
    with torch.no_grad():
        expected = model.read_target(batch).numpy()
    np.testing.assert_allclose(found["predicted"], expected, atol=1e-5)
    np.testing.assert_array_equal(found["true"], batch["target"].numpy())
    assert found["target"].values.tolist() == ["pupil"]
    unlabelled = read_behaviour(model, windows(recording), device="cpu")
    assert "true" not in unlabelled
    np.testing.assert_allclose(unlabelled["predicted"], expected, atol=1e-5)
    assert np.array_equal(found["start"], labelled.start)


def test_a_model_that_reads_nothing_or_something_else_is_refused(recording: nk.Recording) -> None:
    plain = Neuroformer(NeuroformerConfig.of(windows(recording), width=16))
    with pytest.raises(DataError, match="reads no behaviour"):
        read_behaviour(plain, windows(recording))
    with pytest.raises(DataError, match="the model reads"):
        read_behaviour(with_targets(plain, ["speed"]), windows(recording, "pupil"))


def test_a_direction_becomes_two_variables_without_a_jump() -> None:
    heading = np.arange(0, 400, 5) % 360 / 180 * np.pi
    x = np.stack([np.arange(80.0), heading], axis=1)
    rec = nk.Recording.from_array(
        x, 20, stream="behaviour", channels=["speed", "heading"], units="a.u."
    )
    turned = direction_variables(rec, "behaviour", "heading")["behaviour"]
    assert turned["variable"].values.tolist() == ["cos heading", "sin heading", "speed"]
    values = turned.values.astype(np.float64)
    back = np.arctan2(values[:, 1], values[:, 0]) % (2 * np.pi)
    np.testing.assert_allclose(np.angle(np.exp(1j * (back - heading))), 0, atol=1e-6)
    assert abs(np.diff(values[:, :2], axis=0)).max() < 0.1
    assert turned.attrs["sampling_rate"] == 20
    with pytest.raises(UnknownNameError, match="Known: 'speed', 'heading'"):
        direction_variables(rec, "behaviour", "tilt")


def few_labels(seed: int) -> dict[str, float]:
    """Read speed from a latent population with labels of 1 % of its windows; r by method."""
    from sklearn.linear_model import RidgeCV

    rec = nk.datasets.simulate_latent_population(seed=seed)
    cut = {"length": 0.05, "history": 0.6, "dt": 0.05}
    win = nk.windows.spike_windows(rec, **cut)
    labelled = nk.windows.spike_windows(rec, targets={"behaviour": ["speed"]}, **cut)
    # The last fifth is held out: neither its spikes nor its labels are seen in training.
    held_out = 0.8 * rec.duration
    train = labelled.start < held_out - 0.05
    test = np.flatnonzero(labelled.start > held_out + 0.6)
    some = np.random.default_rng(seed).choice(
        np.flatnonzero(train), round(0.01 * train.sum()), replace=False
    )
    batch = labelled.batch(np.arange(len(labelled)))
    speed = labelled.targets[:, 0]
    config = NeuroformerConfig.of(win, state_layers=0, n_positions=128, seed=seed)
    scratch, pretrained = Neuroformer(config), Neuroformer(config)
    seen = win.take(win.start < held_out - 0.05)
    quiet = {"device": "cpu", "progress": False, "seed": seed}
    nk.training.fit(pretrained, seen, epochs=4, batch_size=32, lr=3e-3, **quiet)

    def ridge(x: np.ndarray) -> float:
        mean, spread = x[train].mean(axis=0), x[train].std(axis=0) + 1e-9
        z = (x - mean) / spread
        fitted = RidgeCV(np.logspace(-3, 5, 17)).fit(z[some], speed[some])
        return float(np.corrcoef(fitted.predict(z[test]), speed[test])[0, 1])

    def tuned(model: Neuroformer) -> float:
        few = labelled.take(some)
        head = with_targets(model, ["speed"], win=few, seed=seed)
        nk.training.fit(head, few, epochs=40, batch_size=32, lr=1e-3, **quiet)
        found = read_behaviour(head, labelled.take(test), device="cpu")
        return float(np.corrcoef(found["predicted"][:, 0], found["true"][:, 0])[0, 1])

    now = step_counts(batch, 80, 1).numpy()[:, 0]
    before = step_counts(batch, 80, 12, "past_").numpy().sum(axis=1)
    return {
        "n_labels": len(some),
        "n_test": len(test),
        "ridge on counts": ridge(now + before),
        "ridge on root counts": ridge(np.sqrt(now + before)),
        "ridge on counts apart": ridge(np.concatenate([now, before], axis=1)),
        "scratch, ridge": ridge(nk.models.encode(scratch, labelled, device="cpu").values),
        "scratch, tuned": tuned(scratch),
        "pretrained, ridge": ridge(nk.models.encode(pretrained, labelled, device="cpu").values),
        "pretrained, tuned": tuned(pretrained),
    }


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", [51, 52, 53])
def test_pretraining_pays_where_labels_are_few(seed: int) -> None:
    found = few_labels(seed)
    print(seed, {name: round(value, 3) for name, value in found.items()})
    others = [value for name, value in found.items() if name.startswith(("ridge", "scratch"))]
    for name in ("pretrained, ridge", "pretrained, tuned"):
        assert found[name] >= max(0.92, max(others) + 0.03)

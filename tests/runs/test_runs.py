"""Recipes from end to end: resumed when killed, scored honestly, refused with one clear line."""

import json

import numpy as np
import pandas as pd
import pytest
import torch

import neurokit as nk
from neurokit.errors import DataError, ReadError, UnknownNameError
from neurokit.models.nn import Classifier
from neurokit.runs import changed, finetune, pretrain
from neurokit.runs.model_cards import recipe_hash
from neurokit.runs.preparation import prepare, read_recordings
from neurokit.training import loop


def again(recipe, **parts):
    """Return a recipe with some of its tables changed."""
    content = recipe.model_dump()
    for key, value in parts.items():
        content[key] = {**content[key], **value} if isinstance(value, dict) else value
    return type(recipe).model_validate(content)


@pytest.fixture(scope="module")
def kept(tmp_path_factory, lab_files):
    """One pretraining and what was fine-tuned from it, for tests that only look."""
    from neurokit.catalog.recipes import recipe

    runs = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NEUROKIT_CATALOG", str(lab_files))
        first = pretrain(recipe("toy-pretrain"), runs / "toy-pretrain", device="cpu")
        second = finetune(recipe("toy-tuned"), runs / "toy-tuned", device="cpu")
    return runs, first, second


def test_pretraining_learns_and_says_so_beside_random_weights(kept):
    _, first, _ = kept
    figures = first.figures
    assert figures.loc["r2", "trained"] > max(0.1, figures.loc["r2", "random weights"])
    assert figures.loc["codes_used", "trained"] > 8
    assert figures.loc["windows", "trained"] == 40
    # Untrained, its inputs are standardised and its codes spread over what they name.
    assert figures.loc["r2", "random weights"] > -3
    assert figures.loc["codes_used", "random weights"] > 8


def test_the_model_is_kept_with_a_card_that_states_its_figures(kept):
    runs, first, _ = kept
    folder = runs / "toy-pretrain"
    loaded = nk.models.EEGFormer.from_pretrained(folder / "model")
    batch = loaded.example()
    with torch.no_grad():
        assert torch.equal(loaded.represent(batch), first.model.represent(batch))
    card = (folder / "model/README.md").read_text()
    assert f"| r2 | {first.figures.loc['r2', 'trained']:.3f} |" in card
    for said in ("CC0-1.0", "Nobody (2020).", "6 people", recipe_hash(first.recipe), "seed 0"):
        assert said in card
    assert "160 to train, 40 to test, 40 to validation" in card
    kept_figures = json.loads((folder / "figures.json").read_text())["figures"]
    assert kept_figures["r2"]["trained"] == pytest.approx(first.figures.loc["r2", "trained"])


def test_fine_tuning_finds_the_rhythm_and_prints_its_baselines(kept):
    runs, _, second = kept
    figures = second.figures
    assert isinstance(second.model, Classifier)
    assert figures.index.tolist() == [
        "fine-tuned", "probe of toy-pretrain", "random weights", "band power", "raw features",
        "k-means words", "chance",
    ]  # fmt: skip
    assert figures.loc["band power", "auroc"] > 0.95
    assert figures.loc["fine-tuned", "auroc"] > 0.9
    assert figures.loc["chance", "auroc"] == 0.5
    loaded = Classifier.from_pretrained(runs / "toy-tuned/model")
    assert loaded.config.classes == ("alpha", "rest")


def test_labels_without_meaning_score_at_chance(tuned, kept, tmp_path, monkeypatch):
    """Whose-number parity says nothing of the signal, and the test person is unseen."""
    recs = read_recordings(tuned)
    rng = np.random.default_rng(0)
    shuffled = [
        r.replace(meta={"run": int(v)})
        for r, v in zip(recs, rng.permutation([1, 2] * 6), strict=True)
    ]
    monkeypatch.setattr("neurokit.runs.pretraining.read_recordings", lambda *_: shuffled)
    recipe = again(tuned, method="probe", split={"validation": [], "test": [1, 2, 3]})
    # Of a copy nobody knows that it has seen these people, and the card says that nobody does.
    kept[1].model.save_pretrained(tmp_path / "copy")
    recipe = again(recipe, model={"checkpoint": str(tmp_path / "copy")})
    figures = finetune(recipe, tmp_path / "null", device="cpu").figures
    card = (tmp_path / "null/model/README.md").read_text()
    assert "copy; what that one learned from is not known here." in card
    probe = figures.iloc[0]
    assert probe["low"] <= 0.65
    assert probe["high"] >= 0.35


def test_probing_leaves_the_weights_alone(kept, tuned, tmp_path):
    recipe = again(tuned, method="probe", model={"checkpoint": str(kept[0] / "toy-pretrain")})
    result = finetune(recipe, tmp_path / "probe", device="cpu")
    before = kept[1].model.state_dict()
    assert all(torch.equal(v, before[k]) for k, v in result.model.state_dict().items())
    assert result.figures.index[0].startswith("probe of")


def test_a_killed_run_goes_on_and_ends_as_one_that_was_not(toy, tmp_path, monkeypatch):
    whole = pretrain(toy, tmp_path / "whole", device="cpu")

    class KilledError(Exception):
        pass

    calls = []

    def dying(*args, **kwargs):
        class Callback:
            def on_step(self, state):
                calls.append(state.step)
                if len(calls) == 17:
                    raise KilledError

            def on_epoch(self, state):
                pass

        return loop.fit(*args, **kwargs, callbacks=[Callback()], checkpoint_every=1)

    monkeypatch.setattr("neurokit.runs.pretraining.fit", dying)
    with pytest.raises(KilledError):
        pretrain(toy, tmp_path / "cut", device="cpu")
    assert not (tmp_path / "cut/model").exists()
    monkeypatch.undo()
    monkeypatch.setenv("NEUROKIT_CATALOG", str(toy.source.parents[1]))
    cut = pretrain(toy, tmp_path / "cut", device="cpu")
    assert cut.resumed_at >= 1
    pd.testing.assert_frame_equal(cut.figures, whole.figures)
    weights = whole.model.state_dict()
    assert all(torch.equal(v, weights[k]) for k, v in cut.model.state_dict().items())


def test_a_finished_run_is_not_done_again(kept, lab, toy):
    result = pretrain(toy, kept[0] / "toy-pretrain", device="cpu")
    assert result.resumed_at == 3
    pd.testing.assert_frame_equal(result.figures, kept[1].figures)


def test_a_folder_of_another_run_is_refused(kept, lab, toy):
    for other in ("seed", "epochs"):
        wanted = changed(toy, **{other: 7})
        key = {"seed": "seed", "epochs": "training"}[other]
        with pytest.raises(DataError, match=f"with another {key}. Give another folder .--output"):
            pretrain(wanted, kept[0] / "toy-pretrain", device="cpu")
    retold = again(toy, title="Another title")
    assert pretrain(retold, kept[0] / "toy-pretrain", device="cpu").resumed_at == 3


@pytest.mark.parametrize("wrong", [{"epochs": 0}, {"epochs": 2.5}, {"seed": -1}])
def test_what_a_recipe_cannot_be_changed_to(toy, wrong):
    (name,) = wrong
    with pytest.raises(DataError, match=f"{name} is {wrong[name]}"):
        changed(toy, **wrong)


def test_seed_and_epochs_change_the_hash(toy):
    hashes = {recipe_hash(r) for r in (toy, changed(toy, seed=1), changed(toy, epochs=9))}
    assert len(hashes) == 3


def test_prepared_recordings_are_kept_on_disk_and_used_again(toy, tmp_path, monkeypatch):
    recipe = again(toy, prepared="disk")
    memory = prepare(read_recordings(toy), toy)
    disk = prepare(read_recordings(recipe), recipe, tmp_path)
    assert len(list(tmp_path.rglob("*.zarr"))) == len(disk) == 12
    for a, b in zip(memory, disk, strict=True):
        np.testing.assert_array_equal(a["eeg"].values, b["eeg"].values)
    shorter = [rec.crop(0, 5) for rec in read_recordings(recipe)]
    assert prepare(shorter, recipe, tmp_path)[0].duration == 5.0
    monkeypatch.setattr("neurokit.runs.preparation._prepared", None)
    assert len(prepare(read_recordings(recipe), recipe, tmp_path)) == 12


def test_channels_are_picked_by_site_whatever_their_spelling(toy):
    rec = prepare(read_recordings(toy), toy)[0]
    assert rec["eeg"]["channel"].values.tolist() == ["T7", "O2"]
    raw = read_recordings(toy)[0]
    np.testing.assert_array_equal(rec["eeg"].values[:, 0], raw["eeg"].sel(channel="T3").values)


BAD = [
    ({"data": "toi"}, UnknownNameError, "Unknown data set 'toi'. Did you mean 'toy'"),
    ({"windows": {"stream": "egg"}}, UnknownNameError, "Unknown stream of the recipe 'egg'"),
    (
        {"preprocessing": [{"step": "pick", "channels": ["Cz"]}]},
        UnknownNameError,
        "Unknown channel of the recipe 'Cz'",
    ),
    ({"windows": {"length": 60.0}}, DataError, "No window of 60 s fits"),
    ({"windows": {"length": 0.1}}, DataError, "a patch 10. Shorten the patch"),
    (
        {"preprocessing": [{"step": "resample", "sampling_rate": 50.0}]},
        DataError,
        "The windows have 50 Hz, the EEGFormer takes 100 Hz",
    ),
    (
        {"preprocessing": [{"step": "standardize", "over": "train"}]},
        (DataError, UnknownNameError),
        "unit",
    ),
    ({"model": {"family": "EEGformer"}}, UnknownNameError, "Unknown model family 'EEGformer'"),
    ({"model": {"preset": "tny"}}, UnknownNameError, "Unknown preset 'tny'. Did you mean 'tiny'"),
    (
        {"model": {"changes": {"widht": 3}}},
        UnknownNameError,
        "Unknown setting of EEGFormer 'widht'. Did you mean 'width'",
    ),
    (
        {"model": {"family": "", "preset": "", "changes": {}, "checkpoint": "nowhere"}},
        UnknownNameError,
        "Unknown folder, run in .* or checkpoint 'nowhere'",
    ),
    (
        {"model": {"family": "DuINMasked", "preset": "", "changes": {}, "tokenizer": "nowhere"}},
        UnknownNameError,
        "Unknown folder, run in .* or checkpoint 'nowhere'",
    ),
]


@pytest.mark.parametrize(("change", "error", "message"), BAD, ids=[b[2][:32] for b in BAD])
def test_what_a_recipe_gets_wrong_is_one_clear_error(toy, tmp_path, change, error, message):
    with pytest.raises(error, match=message):
        pretrain(again(toy, **change), tmp_path / "run", device="cpu")
    assert not (tmp_path / "run/model").exists()


def test_a_tokenizer_must_be_a_duin(toy, kept, tmp_path):
    model = {"family": "DuINMasked", "preset": "", "changes": {}}
    recipe = again(toy, model={**model, "tokenizer": str(kept[0] / "toy-pretrain")})
    with pytest.raises(ReadError, match="predicts the codes of a trained DuIN"):
        pretrain(recipe, tmp_path / "run", device="cpu")


BAD_TUNED = [
    ({"split": {"test": [3, 5]}}, "'toy-pretrain' learned from subject 3, which would test here"),
    (
        {"split": {"by": "time", "test": [], "validation": [], "test_share": 0.2}},
        "'toy-pretrain' learned from subject 0, 1",
    ),
    ({"head": {"pools": "mean"}}, r"\[head\] of 'toy-tuned' does not fit: .*pools"),
    ({"model": {"checkpoint": "toy-tuned"}}, "is a classifier already"),
    ({"labels": {"keep": ["rest"]}}, "one class"),
    (
        {"labels": {"column": "subject", "merge": {"one": [0, 1], "two": [2, 3, 4, 5]}}},
        "The test windows have no 'one'",
    ),
    ({"windows": {"length": 1.0}}, "Windows of 1 s"),
    (
        {"model": {"checkpoint": "duin-tiny-seeg"}},
        "'duin-tiny-seeg', a DuIN, does not fit",
    ),
]


@pytest.mark.parametrize(("change", "message"), BAD_TUNED, ids=[b[1][:24] for b in BAD_TUNED])
def test_what_a_finetuning_gets_wrong(kept, tuned, change, message):
    with pytest.raises(DataError, match=message):
        finetune(again(tuned, **change), kept[0] / "wrong", device="cpu")


def test_a_finetuning_by_time_does_not_test_on_what_was_pretrained(tmp_path):
    from neurokit.catalog.recipes import recipe

    wider = again(recipe("eegformer-demo-modality"), split={"test_share": 0.5})
    with pytest.raises(DataError, match="learned from all but the last 35% of each recording"):
        finetune(wider, tmp_path / "run", device="cpu")


@pytest.mark.parametrize("split", [{}, {"test": [], "validation": [], "test_share": 0.3}])
@pytest.mark.parametrize("by", ["name", "folder", "model"])
def test_what_a_run_learned_from_is_told_by_its_files(toy, tuned, tmp_path, split, by):
    """Recipes of files that are on no shelf, and groups that were drawn."""
    run = tmp_path / "mine"
    pretrain(changed(again(toy, name="mine", split=split), epochs=1), run, device="cpu")
    known = json.loads((run / "figures.json").read_text())["learned_from"]
    assert 2 < len(known) < 6
    name = {"name": "mine", "folder": str(run), "model": str(run / "model")}[by]
    wrong = again(tuned, model={"checkpoint": name}, split={"test": [known[0]], "validation": []})
    with pytest.raises(DataError, match=f"learned from subject {known[0]}, which would test here"):
        finetune(wrong, tmp_path / "tuned", device="cpu")
    other = sorted({*map(str, range(6))} - {*known})[-1]
    right = again(wrong, split={"test": [other]}, training={"epochs": 1})
    assert finetune(right, tmp_path / "tuned", device="cpu").figures["auroc"].notna().all()


def test_a_tokenizer_did_not_learn_from_what_tests_either(tmp_path):
    from neurokit.catalog.recipes import recipe

    first = again(recipe("duin-demo"), name="first", training={"epochs": 2})
    pretrain(first, tmp_path / "first", device="cpu")
    model = {"family": "DuINMasked", "preset": "", "changes": {}, "tokenizer": "first"}
    second = again(first, name="second", model=model, split={"test_share": 0.5})
    with pytest.raises(DataError, match="'first' learned from all but the last 25%"):
        pretrain(second, tmp_path / "second", device="cpu")
    pretrain(again(second, split={"test_share": 0.25}), tmp_path / "second", device="cpu")
    # What a model began with is asked, too.
    third = again(
        second, name="third", model={"family": "", "tokenizer": "", "checkpoint": "second"}
    )
    (tmp_path / "second/recipe.json").write_text(json.dumps(second.model_dump()))
    with pytest.raises(DataError, match="'first' learned from all but the last 25%"):
        pretrain(third, tmp_path / "third", device="cpu")


def test_data_given_by_hand_are_told_from_the_cards(toy, lab_files, tmp_path):
    copy = lab_files / "datasets/toy-files"
    pretrain(changed(toy, epochs=1), tmp_path / "run", data=str(copy), device="cpu")
    card = (tmp_path / "run/model/README.md").read_text()
    assert "Data: read from toy-files, which was given for a copy of those of the card." in card

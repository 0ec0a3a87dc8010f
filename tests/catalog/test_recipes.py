"""Recipes: every shipped one is valid, and every slip is one clear error."""

import json
import re
from typing import get_args

import pytest

from neurokit import catalog
from neurokit.catalog.recipes import FinetuneRecipe, PretrainRecipe, recipe
from neurokit.catalog.steps import Step
from neurokit.catalog.training_recipes import (
    LabelsTable,
    ModelTable,
    SplitTable,
    TrainingTable,
    WindowsTable,
)
from neurokit.errors import ReadError, UnknownNameError
from neurokit.models import DuINConfig
from neurokit.runs.families import FAMILIES

SHIPPED = catalog.names("models")
GOOD = """
name = "toy"
title = "A toy"
kind = "pretrain"
data = "mne-sample-eeg"

[[preprocessing]]
step = "resample"
sampling_rate = 100.0

[windows]
stream = "eeg"
length = 0.5

[split]
by = "time"
test_share = 0.2

[model]
family = "EEGFormer"
preset = "tiny"

[training]
epochs = 1
batch_size = 4
lr = 0.001
"""


def written(tmp_path, old="", new="", name="toy"):
    assert old in GOOD
    path = tmp_path / f"{name}.toml"
    path.write_text(GOOD.replace(old, new, 1) if old else GOOD + new)
    return str(path)


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_recipes_are_valid(name):
    found = recipe(name)
    assert found.name == name
    assert found.data in catalog.names("datasets")
    assert len(found.title) <= 90
    if isinstance(found, PretrainRecipe | FinetuneRecipe):
        assert found.note, "a model card needs its limits"
        assert not found.model.family or found.model.family in FAMILIES
        started_from = found.model.checkpoint or found.model.tokenizer
        assert not started_from or started_from in SHIPPED


def test_recipes_of_the_papers_have_their_hyperparameters():
    stages = [recipe(f"duin-paper-words-{stage}") for stage in (1, 2, 3)]
    assert [s.training.epochs for s in stages] == [800, 400, 200]
    assert [s.training.batch_size for s in stages] == [32, 64, 32]
    assert [s.training.lr for s in stages] == [3e-4, 3e-4, 2e-4]
    assert [s.training.min_lr for s in stages] == [5e-5, 5e-5, 5e-6]
    assert [s.training.weight_decay for s in stages] == [0.01, 0.05, 0.05]
    assert recipe("eegformer-small-tuab").windows.length == 12.0
    for stage, alone in zip((1, 2), stages, strict=False):
        several = recipe(f"duin-poms-words-{stage}")
        assert several.training == alone.training
        assert several.windows.by_subject
    assert DuINConfig.preset(recipe("duin-poms-words-1").model.preset).n_codes == 1024


def test_a_recipe_of_ones_own_is_found_by_its_path(tmp_path):
    found = recipe(written(tmp_path))
    assert isinstance(found, PretrainRecipe)
    assert found.preprocessing[0].sampling_rate == 100.0
    assert found.source == tmp_path / "toy.toml"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("epochs = 1", "", r"field 'training.epochs': missing. It must be given"),
        ("epochs = 1", "epoch = 1", r"'training.epoch': unknown. Did you mean 'epochs'.*1 more"),
        ("batch_size", "batchsize", r"'training.batchsize': unknown. Did you mean 'batch_size'"),
        ("lr = 0.001", "lr = 0.001\nmomentum = 1", r"'training.momentum': unknown.*'epochs'"),
        ('step = "resample"', 'step = "resampl"', r"'preprocessing.0'.*'resampl'.*'resample'"),
        ("sampling_rate = 100.0", "rate = 1", r"'preprocessing.0.resample.*': "),
        ('kind = "pretrain"', 'kind = "train"', r"'kind': expected 'question', 'pretrain' or"),
        ('kind = "pretrain"', 'kind = "finetune"', r"'labels': missing"),
        ("length = 0.5", "length = -0.5", r"'windows.length': expected? .*greater than 0|greater"),
        ("length = 0.5", "length = 0.5\nstride = 1\nstart = 0", r"takes no stride"),
        ("test_share = 0.2", "test_share = 1.2", r"'split.test_share': .*less than 1"),
        ("test_share = 0.2", "test = [1]", r"by = 'time' takes test_share and no lists"),
        ("test_share = 0.2", "test_share = 0.6\nvalidation_share = 0.5", "nothing to train on"),
        ('by = "time"', 'by = "subject"\ntest = [1]', "takes either test"),
        (
            'by = "time"\ntest_share = 0.2',
            'by = "subject"\ntest = [1, 2]\nvalidation = ["2"]',
            "'2' is in validation and in test",
        ),
        (
            'by = "time"\ntest_share = 0.2',
            'by = "subject"\ntest = [1]\nvalidation = [2]\nvalidation_share = 0.1',
            "exclude one another",
        ),
        ('family = "EEGFormer"', 'family = "EEGFormer"\ncheckpoint = "x"', "give either family"),
        ('preset = "tiny"', "", "a family takes a preset"),
        ('family = "EEGFormer"', 'checkpoint = "x"', "has its own settings"),
        ("length = 0.5", "length = 0.5\nbeside = { x = 1.0 }", "beside belong to spikes, and need"),
        ("length = 0.5", "length = 0.5\nhistory = 1.0\nstart = 0.0", "lie side by side"),
        ("length = 0.5", "length = 0.5\nhistory = 1.0\nby_subject = true", "by_subject joins"),
        (
            'length = 0.5\n\n[split]\nby = "time"\ntest_share = 0.2',
            'length = 0.5\nby_subject = true\n\n[split]\nby = "subject"\ntest = [1]',
            "no further subject: split by 'time'",
        ),
        ("length = 0.5", "length = 0.5\nhistory = -1.0", "'windows.history': .*greater than 0"),
        ('step = "resample"\nsampling_rate = 100.0', 'step = "crop"', "give start, stop or both"),
    ],
)
def test_slips_name_file_and_field(tmp_path, old, new, message):
    with pytest.raises(ReadError, match=message) as error:
        recipe(written(tmp_path, old, new))
    assert "toy.toml" in str(error.value)


def test_statistics_of_the_test_part_are_refused(tmp_path):
    step = '\n[[preprocessing]]\nstep = "standardize"\nover = "recording"\n'
    with pytest.raises(ReadError, match="would use the test part of each recording"):
        recipe(written(tmp_path, new=step))


def test_streams_beside_spikes_take_scores_of_the_training(tmp_path):
    spikes = 'stream = "spikes"\nhistory = 0.5'
    step = '\n[[preprocessing]]\nstep = "standardize"\nover = "recording"\n'
    path = tmp_path / "toy.toml"
    path.write_text(GOOD.replace('stream = "eeg"', spikes) + step)
    with pytest.raises(ReadError, match="take z-scores of the training windows"):
        recipe(str(path))


def test_spikes_have_no_classes(tmp_path):
    tuned = GOOD.replace('kind = "pretrain"', 'kind = "finetune"')
    tuned = tuned.replace("length = 0.5", "length = 0.5\nhistory = 0.5")
    path = tmp_path / "toy.toml"
    path.write_text(tuned + '\n[labels]\ncolumn = "run"\n')
    with pytest.raises(ReadError, match="name the variables to read out in windows.targets"):
        recipe(str(path))


def test_channels_of_several_people_have_no_classes(tmp_path):
    tuned = GOOD.replace('kind = "pretrain"', 'kind = "finetune"')
    tuned = tuned.replace("length = 0.5", "length = 0.5\nby_subject = true")
    path = tmp_path / "toy.toml"
    path.write_text(tuned + '\n[labels]\ncolumn = "run"\n')
    with pytest.raises(ReadError, match=r"by_subject is for pretraining.*join_montages\("):
        recipe(str(path))


def test_recipes_of_neuroformer_have_its_windows():
    for name in ("neuroformer-v1al", "neuroformer-visnav-medial", "neuroformer-visnav-lateral"):
        found = recipe(name)
        assert (found.windows.length, found.windows.history, found.windows.dt) == (0.05, 0.25, 0.01)
        assert found.windows.beside == {"stimulus": 0.3}
        assert (found.training.epochs, found.training.batch_size) == (250, 160)
        assert (found.training.lr, found.training.weight_decay) == (1e-4, 1.0)


def test_standardize_comes_last(tmp_path):
    old = '[[preprocessing]]\nstep = "resample"'
    new = '[[preprocessing]]\nstep = "standardize"\n\n' + old
    with pytest.raises(ReadError, match="standardize comes last, and once"):
        recipe(written(tmp_path, old, new))


def test_name_and_file_must_agree(tmp_path):
    with pytest.raises(ReadError, match="expected 'other', as the file is called; got 'toy'"):
        recipe(written(tmp_path, name="other"))


def test_unknown_recipe_suggests_the_nearest():
    with pytest.raises(UnknownNameError, match="Did you mean 'eegformer-demo'"):
        recipe("eegformer-dem")


def test_the_recipe_of_the_readme_is_valid(tmp_path):
    readme = (catalog.shelf("models") / "README.md").read_text(encoding="utf-8")
    path = tmp_path / "sleep-words.toml"
    path.write_text(re.search(r"```toml\n(.*?)```", readme, re.S)[1])
    assert recipe(str(path)).split.validation_share == 0.1
    for name, path in SHIPPED.items():
        if 'kind = "question"' not in path.read_text():
            assert f"`{name}`" in readme or re.match(
                r"eegformer-small-tu|duin-paper|neuroformer-v", name
            )


README = (catalog.shelf("models") / "README.md").read_text(encoding="utf-8")
TABLES = {
    "Top of the file": FinetuneRecipe,
    "`[windows]`": WindowsTable,
    "`[labels]`": LabelsTable,
    "`[split]`": SplitTable,
    "`[model]`": ModelTable,
    "`[training]`": TrainingTable,
}


def rows_of(heading):
    """Return the rows of the table under a heading of the README, by the keys they are about."""
    section = README.split(f"\n### {heading}\n")[1].split("\n### ")[0]
    cells = [re.split(r" ?\| ?", line)[1:-1] for line in section.splitlines() if line[:1] == "|"]
    return {key: row for row in cells[2:] for key in re.findall(r"`\"?(\w+)\"?`", row[0])}


@pytest.mark.parametrize("heading", TABLES)
def test_the_readme_tells_every_key_and_its_default(heading):
    rows, fields = rows_of(heading), TABLES[heading].model_fields
    assert {*rows} == {*fields}
    for key, field in fields.items():
        told, default = rows[key][2], field.get_default(call_default_factory=True)
        if field.is_required():
            assert told == "", key
        elif default in (None, "", [], {}):
            # In words, what it means that it is not given.
            assert re.fullmatch(r"[^`]+", told), key
        else:
            assert told == f"`{json.dumps(default)}`", key


def test_the_readme_tells_every_step_and_its_keys():
    rows = rows_of("`[[preprocessing]]`")
    steps = {get_args(s.model_fields["step"].annotation)[0]: s for s in get_args(get_args(Step)[0])}
    assert {*rows} == {*steps}
    for name, step in steps.items():
        told = {*re.findall(r"`(\w+)`", rows[name][2])}
        assert told == {*step.model_fields} - {"step"}, name

"""``neurokit pretrain``, ``finetune`` and ``run``: the embedded data, and the corpora's layouts."""

import json
import os
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from typer.testing import CliRunner

import neurokit as nk
from neurokit.catalog import find
from neurokit.catalog.recipes import recipe
from neurokit.cli.app import app
from neurokit.errors import DataError, ReadError, UnknownNameError
from neurokit.runs.pretraining import windows_of

runner = CliRunner()
edfio = pytest.importorskip("edfio")
mne = pytest.importorskip("mne")


def call(*args):
    result = runner.invoke(app, list(map(str, args)))
    assert result.exit_code == 0, (result.output, result.exception)
    return result.output


def failing(*args):
    result = runner.invoke(app, list(map(str, args)))
    assert result.exit_code != 0
    return result.exception


def figures(folder):
    return json.loads((folder / "figures.json").read_text())["figures"]


def test_eegformer_on_the_embedded_eeg_then_fine_tuned(tmp_path):
    first, second = tmp_path / "eegformer-demo", tmp_path / "eegformer-demo-modality"
    said = call("pretrain", "eegformer-demo", "--output", first, "--device", "cpu")
    assert f"Model: {first / 'model'}" in said
    assert "random weights" in said
    found = figures(first)
    assert found["r2"]["trained"] > 0.3 > found["r2"]["random weights"]
    assert found["perplexity"]["trained"] > 32
    said = call("finetune", "eegformer-demo-modality", "-o", second, "--epochs", 2)
    for row in ("fine-tuned", "probe of eegformer-demo", "band power", "chance"):
        assert row in said
    assert (second / "model/README.md").read_text().startswith("# eegformer-demo-modality\n")


def test_duin_on_the_embedded_ieeg(tmp_path):
    call("run", "duin-demo", "--output", tmp_path / "duin-demo")
    found = figures(tmp_path / "duin-demo")
    assert found["r"]["trained"] > 0.3 > found["r"]["random weights"]
    model = nk.models.DuIN.from_pretrained(tmp_path / "duin-demo/model")
    assert model.config.channels == (9,)
    said = call("run", "duin-demo", "--output", tmp_path / "duin-demo")
    assert "Continued an earlier run after 10 of 10 epochs." in said


@pytest.mark.parametrize(
    ("kept", "told"),
    [
        ("training/checkpoint.pt", "The same command goes on from what is in here."),
        ("prepared/ab12/000000.zarr", "The same command goes on from what is in here."),
        ("recipe.json", "Nothing was kept in here yet: the same command starts over."),
        (None, "Nothing was kept in here yet: the same command starts over."),
    ],
)
def test_ctrl_c_says_how_to_go_on(kept, told, tmp_path, monkeypatch):
    def stopped(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.chdir(tmp_path)
    if kept:
        path = tmp_path / "here" / kept
        path.parent.mkdir(parents=True)
        path.touch()
    monkeypatch.setattr("neurokit.runs.pretrain", stopped)
    result = runner.invoke(app, ["pretrain", "eegformer-demo", "-o", "here"])
    assert result.exit_code == 130
    assert result.stderr == f"Stopped. {told}\n"
    assert not result.stdout


def test_a_recipe_of_another_kind_keeps_its_path(tmp_path):
    path = agreeing(tmp_path, "eegformer-demo")
    found = failing("finetune", path)
    assert isinstance(found, ReadError)
    assert str(found).endswith(f"Try: neurokit run {path}")


def test_a_run_of_other_data_names_the_option_of_the_command(tmp_path):
    rest = ("pretrain", "eegformer-demo", "--device", "cpu", "--epochs", 1, "--output", tmp_path)
    call(*rest)
    rng = np.random.default_rng(0)
    names = [f"EEG {i:03d}" for i in range(4)]
    info = mne.create_info(names, 200.0, "eeg")
    raw = mne.io.RawArray(1e-5 * rng.standard_normal((4, 6000)), info, verbose="error")
    raw.save(tmp_path / "other_raw.fif", verbose="error")
    found = failing(*rest, "--data", tmp_path / "other_raw.fif")
    assert isinstance(found, DataError)
    assert "other settings" in str(found)
    assert "--output of a command" in str(found)


def test_no_epochs_are_refused():
    result = runner.invoke(app, ["pretrain", "eegformer-demo", "--epochs", "0"])
    assert result.exit_code == 2
    assert "--epochs" in result.output


@pytest.mark.slow
def test_a_run_killed_by_the_system_goes_on(tmp_path):
    """SIGKILL leaves no time to tidy up; the same command ends as an uninterrupted run does."""
    folder = tmp_path / "eegformer-demo"
    command = [
        sys.executable, "-c", "from neurokit.cli import main; main()", "pretrain",
        "eegformer-demo", "--output", str(folder), "--device", "cpu", "--epochs", "6",
    ]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    metrics = folder / "training/metrics.jsonl"
    while process.poll() is None and not (metrics.exists() and metrics.read_text().count("\n") > 1):
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not (folder / "model").exists()
    rest = ("pretrain", "eegformer-demo", "--device", "cpu", "--epochs", 6, "--output")
    assert re.search(r"Continued an earlier run after \d+ of 6 epochs", call(*rest, folder))
    call(*rest, tmp_path / "whole")
    assert figures(folder) == figures(tmp_path / "whole")


def torchrun(*arguments):
    """Call the command in two processes, as ``torchrun`` starts them; show progress."""
    launch = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    return subprocess.run(
        [sys.executable, *launch, "-m", "neurokit", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1", "NEUROKIT_PROGRESS": "1"},
    )


def agreeing(tmp_path, name):
    """Write a recipe whose codes one process and two start and keep alike."""
    text = find("models", name).read_text()
    text = text.replace("n_codes = 64", "n_codes = 64\nkmeans_batches = 0\nrevive_after = 99999")
    # With 4, one window would be left for two processes, and count twice in the inputs' mean.
    text = text.replace("batch_size = 4", "batch_size = 8")
    # The keys' bias has no gradient but rounding, of which AdamW makes steps of this size.
    text = text.replace("lr = 0.003", "lr = 0.0003")
    path = tmp_path / f"{name}.toml"
    path.write_text(text)
    return path


def files_of(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_two_processes_leave_the_run_that_one_leaves(tmp_path):
    path = agreeing(tmp_path, "eegformer-demo")
    alone, pair = tmp_path / "alone", tmp_path / "pair"
    rest = ("--device", "cpu", "--epochs", 1, "--output")
    said = call("pretrain", path, *rest, alone)
    done = torchrun("pretrain", path, *rest, pair)
    assert done.returncode == 0, done.stderr
    # Said and shown once; of the same figures, that of random weights belongs to one process.
    assert done.stdout.count("Model:") == 1
    assert done.stdout.count("\n") == said.count("\n")
    assert done.stderr.count("preparing:   0%") == 1
    assert files_of(pair) == files_of(alone)
    both = [load_file(folder / "model/model.safetensors") for folder in (alone, pair)]
    assert both[0].keys() == both[1].keys()
    for name, value in both[0].items():
        torch.testing.assert_close(both[1][name], value, atol=1e-5, rtol=1e-5)
    for row, values in figures(alone).items():
        assert figures(pair)[row] == pytest.approx(values, abs=1e-3), row
    facts = json.loads((pair / "training/environment.json").read_text())
    assert facts["processes"] == 2


@pytest.mark.slow
def test_two_processes_fine_tune_and_refuse_as_one_does(tmp_path):
    alone, pair = tmp_path / "alone", tmp_path / "pair"
    rest = ("--device", "cpu", "--epochs", 1, "--output")
    for place in (alone, pair):
        call("pretrain", "eegformer-demo", *rest, place / "eegformer-demo")
    tuned = ("finetune", agreeing(tmp_path, "eegformer-demo-modality"), *rest)
    call(*tuned, alone / "tuned")
    done = torchrun(*tuned, pair / "tuned")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("Model:") == 1
    assert files_of(pair) == files_of(alone)
    found = figures(pair / "tuned")
    for row, values in figures(alone / "tuned").items():
        # Those of baselines come from one process alone.
        near = 1e-3 if row == "fine-tuned" else 0
        assert found[row] == pytest.approx(values, abs=near), row
    before = (pair / "tuned/figures.json").read_bytes()
    done = torchrun(*tuned, pair / "eegformer-demo")
    assert done.returncode != 0
    assert done.stderr.count("holds a run of 'eegformer-demo' with another") == 1
    assert (pair / "tuned/figures.json").read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (("pretrain", "eegformer-dem"), UnknownNameError, "Did you mean 'eegformer-demo'"),
        (("pretrain", "head-direction"), ReadError, "of kind 'question', expected 'pretrain'"),
        (("finetune", "eegformer-demo"), ReadError, "Try: neurokit run eegformer-demo"),
        (("pretrain", "nothing.toml"), ReadError, "nothing.toml: cannot be read"),
        (
            ("pretrain", "eegformer-demo", "--data", "nowhere"),
            UnknownNameError,
            "Unknown data set or path 'nowhere'",
        ),
        (
            ("pretrain", "eegformer-demo", "--device", "gpu", "--output", "gpu"),
            (LookupError, ValueError),
            "gpu",
        ),
    ],
)
def test_bad_input_is_one_clear_line(arguments, error, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = failing(*arguments)
    assert isinstance(found, error)
    assert message in str(found)


SITES = [
    *("FP1", "FP2", "F3", "F4", "C3", "C4", "P3", "P4", "O1", "O2", "F7", "F8"),
    *("T3", "T4", "T5", "T6", "A1", "A2", "FZ", "CZ", "PZ"),
]


def edf(path, rhythm, seconds=12):
    """Write clinical EEG with or without a slow rhythm, at 256 Hz."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(abs(hash(path.name)) % 2**32)
    wave = 60 * np.sin(2 * np.pi * 3 * np.arange(256 * seconds) / 256) if rhythm else 0
    signals = [
        edfio.EdfSignal(
            20 * rng.standard_normal(256 * seconds) + wave,
            sampling_frequency=256,
            label=f"EEG {name}-REF",
            physical_dimension="uV",
            physical_range=(-3276.8, 3276.7),
        )
        for name in [*SITES, "EKG1"]
    ]
    edfio.Edf(signals).write(path)
    return path


@pytest.fixture
def small(tmp_path):
    """Make a small version of a shipped recipe, beside its run; the rest stays as shipped."""

    def change(name, **values):
        text = find("models", name).read_text()
        for key, value in {"epochs": 1, "batch_size": 4, **values}.items():
            text = re.sub(rf"^{key} = .*$", f"{key} = {value}", text, flags=re.M)
        text = text.replace('preset = "small"', 'preset = "small"\n' + CHANGES)
        for preset in ("paper", "poms"):
            text = text.replace(f'preset = "{preset}"', f'preset = "{preset}"\n{NARROW}')
        path = tmp_path / f"{name}.toml"
        path.write_text(text)
        return path

    return change


CHANGES = """changes = { width = 16, n_heads = 2, encoder_blocks = 1, decoder_blocks = 1,
n_codes = 16, kmeans_batches = 2 }""".replace("\n", " ")
NARROW = """changes = { filters = [16, 16, 2], depth = 1, n_heads = 2, head_dim = 8, hidden = 16,
n_codes = 8, code_width = 8, decoder_depth = 1, decoder_filters = [8, 8, 8, 8, 4] }""".replace(
    "\n", " "
)


def test_recipes_of_the_abnormal_corpus_run_on_its_layout(tmp_path, small):
    for split, n in (("train", 4), ("eval", 1)):
        for i in range(n):
            for kind in ("normal", "abnormal"):
                name = f"aaaaa{split[0]}{kind[0]}{i}_s001_t000.edf"
                edf(tmp_path / "tuab/edf" / split / kind / "01_tcp_ar" / name, kind == "abnormal")
    data = ("--data", tmp_path / "tuab", "--device", "cpu", "--output")
    path = small("eegformer-small-tuab", validation_share=0.2)
    call("pretrain", path, *data, tmp_path / "runs/eegformer-small-tuab")
    path = small("eegformer-small-tuab-abnormal", validation_share=0.2)
    call("finetune", path, *data, tmp_path / "runs/abnormal")
    found = figures(tmp_path / "runs/abnormal")
    assert found["band power"]["auroc"] == 1.0
    assert found["chance"]["auroc"] == 0.5


def read_words(root, subject, n_channels, scale=1.0):
    """Write two runs of noise of one person, in the layout of the word set."""
    rng = np.random.default_rng(int(subject))
    for run in ("run1", "run2"):
        place = root / subject / "word-recitation" / run / "dataset.bipolar.default.aligned"
        place.mkdir(parents=True)
        words = np.tile(["sun", "tree"], 10)
        x = scale * rng.standard_normal((20, n_channels, 3000)).astype(np.float32)
        names = [f"{'ABC'[int(subject)]}{i}" for i in range(n_channels)]
        np.savez(place / "data.npz", x=x, words=words, channels=names)


def test_recipes_of_the_word_set_run_on_its_layout(tmp_path, small):
    read_words(tmp_path / "du-in", "001", 10)
    data = ("--data", tmp_path / "du-in", "--device", "cpu", "--output")
    runs = tmp_path / "runs"
    for stage, command in ((1, "pretrain"), (2, "pretrain"), (3, "finetune")):
        # The codes of stage 1 begin when a few batches have been seen.
        path = small(f"duin-paper-words-{stage}", batch_size=16, epochs=6 if stage == 1 else 1)
        call(command, path, *data, runs / f"duin-paper-words-{stage}")
    found = figures(runs / "duin-paper-words-2")
    assert found["masked"]["trained"] > 0
    # Words without a trace in the signal are not told apart.
    found = figures(runs / "duin-paper-words-3")
    assert found["fine-tuned"]["low"] <= 0.6


def test_one_model_learns_from_several_people_of_the_word_set(tmp_path, small):
    read_words(tmp_path / "du-in", "001", 4, scale=3.0)
    read_words(tmp_path / "du-in", "002", 3)
    data = ("--data", tmp_path / "du-in", "--device", "cpu", "--output")
    runs = tmp_path / "runs"
    for stage in (1, 2):
        path = small(f"duin-poms-words-{stage}", batch_size=16, epochs=4 if stage == 1 else 1)
        call("pretrain", path, *data, runs / f"duin-poms-words-{stage}")
    model = nk.models.DuINMasked.from_pretrained(runs / "duin-poms-words-2/model")
    assert model.config.channels == (4, 3)
    assert model.config.names[1] == ("C0", "C1", "C2")
    assert model.config.own_tokenizers
    parts = windows_of(recipe(str(path)), str(tmp_path / "du-in"))
    model.check(parts.test)
    for win in (parts.train, parts.validation, parts.test):
        assert {*win.subject.tolist()} == {0, 1}
    # Each person's z-scores are those of own training trials, whatever the amplifier.
    seen = parts.train.batch(range(len(parts.train)))
    for person, n in ((0, 4), (1, 3)):
        x = seen["x"][seen["subject"] == person][..., :n]
        assert x.std(dim=(0, 1)).numpy() == pytest.approx(np.ones(n), abs=1e-3)
    assert figures(runs / "duin-poms-words-2")["masked"]["trained"] > 0


LABELLED = {
    "eegformer-small-tusz-seizure": ("bckg", "seiz"),
    "eegformer-small-tuar-artifact": ("bckg", "chew", "elec", "eyem", "musc", "shiv"),
    "eegformer-small-tusl-slowing": ("bckg", "seiz", "slow"),
}
ENDING = {"tusz": "csv_bi", "tuar": "csv", "tusl": "tse_agg"}


@pytest.mark.parametrize("name", LABELLED)
def test_recipes_of_annotated_corpora_label_windows_of_their_layout(name, tmp_path, small):
    corpus, classes = name.split("-")[2], LABELLED[name]
    for patient in range(6):
        split = ("train", "train", "train", "train", "dev", "eval")[patient]
        folder = {
            "tusz": f"edf/{split}/aaaaaaa{patient}/s001_2002/01_tcp_ar",
            "tuar": "edf/01_tcp_ar",
            "tusl": f"edf/aaaaaaa{patient}/s001_2010/01_tcp_ar",
        }[corpus]
        path = tmp_path / corpus / folder / f"aaaaaaa{patient}_s001_t000.edf"
        edf(path, False, seconds=12 * len(classes))
        events = [(12.0 * i, 12.0 * i + 12, c) for i, c in enumerate(classes) if c != "bckg"]
        if corpus != "tuar":
            events.insert(0, (0.0, 12.0, "bckg"))
        path.with_suffix(f".{ENDING[corpus]}").write_text(annotations(corpus, events))
    found = recipe(str(small(name, validation_share=0.2)))
    parts = windows_of(found, str(tmp_path / corpus), folder=tmp_path / "run")
    assert parts.train.classes == classes
    assert {*parts.test.labels.tolist()} == {*range(len(classes))}
    people = [{*win.groups("subject")} for win in (parts.train, parts.validation, parts.test)]
    assert sum(map(len, people)) == len(set.union(*people)) == 6
    assert parts.train.sampling_rate == 250.0
    assert len(list((tmp_path / "run").rglob("*.zarr"))) == 6


def annotations(corpus, events):
    if corpus == "tusl":
        rows = [f"{a:.4f} {b:.4f} {label} 1.0000" for a, b, label in events]
        return "\n".join(["version = tse_v1.0.0", "", *rows])
    channel = "TERM" if corpus == "tusz" else "FP1-F7"
    rows = [f"{channel},{a:.4f},{b:.4f},{label},1.0000" for a, b, label in events]
    return "\n".join(["# version = csv_v1.0.0", HEAD, *rows])


HEAD = "channel,start_time,stop_time,label,confidence"

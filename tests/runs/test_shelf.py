"""The checkpoints that come with neurokit: small, loadable by name, and what their cards say."""

import json

import numpy as np
import pytest
import torch

import neurokit as nk
from neurokit import catalog
from neurokit.catalog.recipes import recipe
from neurokit.errors import DataError, ReadError, UnknownNameError
from neurokit.recording import Recording
from neurokit.runs.families import load_checkpoint
from neurokit.runs.model_cards import recipe_hash
from neurokit.runs.pretraining import windows_of

FOLDERS = {p.parent.name: p.parent for p in sorted(catalog.shelf("models").glob("*/config.json"))}


def test_each_family_has_a_checkpoint():
    kinds = {json.loads((f / "config.json").read_text())["model"] for f in FOLDERS.values()}
    assert {"EEGFormer", "DuIN", "DuINMasked", "Neuroformer"} <= kinds


@pytest.mark.parametrize("name", FOLDERS)
def test_checkpoint_is_small_and_whole(name):
    files = {p.name: p.stat().st_size for p in FOLDERS[name].iterdir()}
    assert sum(files.values()) < 5e6
    assert {*files} == {
        "README.md", "config.json", "environment.json", "golden.safetensors", "model.safetensors",
    }  # fmt: skip


@pytest.mark.parametrize("name", FOLDERS)
def test_checkpoint_loads_by_name_and_answers(name, tmp_path):
    model = load_checkpoint(name, tmp_path)
    assert not model.training
    with torch.no_grad():
        assert torch.isfinite(model.represent(model.example())).all()
    family = type(model)
    assert family.from_pretrained(name).config == model.config


@pytest.mark.parametrize("name", FOLDERS)
def test_card_agrees_with_the_recipe_and_the_data(name):
    card = (FOLDERS[name] / "README.md").read_text(encoding="utf-8")
    made_by = recipe(name)
    assert recipe_hash(made_by) in card, "the recipe was changed after this was trained"
    data = catalog.card(made_by.data)
    for said in (data.licence, data.citation, f"seed {made_by.seed}", made_by.note):
        assert said in card
    assert "/" not in json.loads((FOLDERS[name] / "environment.json").read_text())["python"]


def test_the_wrong_class_is_refused():
    with pytest.raises(ReadError, match="holds a DuIN, not a EEGFormer"):
        nk.models.EEGFormer.from_pretrained("duin-tiny-seeg")
    with pytest.raises(UnknownNameError, match="Did you mean 'duin-tiny-seeg'"):
        nk.models.DuIN.from_pretrained("duin-tiny-seg")


def test_damaged_weights_are_refused(tmp_path):
    from shutil import copytree

    folder = copytree(FOLDERS["duin-tiny-seeg"], tmp_path / "copy")
    weights = folder / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(bytes(content))
    with pytest.raises(ReadError, match=r"model.safetensors"):
        nk.models.DuIN.from_pretrained(folder)


def test_a_shipped_eegformer_reads_other_peoples_eeg():
    """Any montage will do: the embedded recording has 60 channels at another rate."""
    model = nk.models.EEGFormer.from_pretrained("eegformer-tiny-eegmat")
    rec = nk.preprocessing.resample(nk.datasets.load("mne-sample-eeg"), 128.0)
    win = nk.windows.sliding(rec, stream="eeg", length=5.0)
    words = nk.models.code_words(model, win, device="cpu")
    assert words.sizes["channel"] == 60
    assert np.unique(words).size > 100
    slow = Recording.from_array(1e-5 * np.random.default_rng(0).normal(size=(2000, 2)), 100.0)
    with pytest.raises(DataError, match="128 Hz"):
        model.check(nk.windows.sliding(slow, stream="eeg", length=5.0))


def test_the_shipped_neuroformer_knows_its_units():
    """The recording is embedded, so what the card states can be measured again, in part."""
    made_by = recipe("neuroformer-tiny-a2929")
    model = nk.models.Neuroformer.from_pretrained(made_by.name)
    test = windows_of(made_by).test
    model.check(test)
    rows = np.arange(200)
    ids = test.batch(rows)["id"][:, 1:]
    with torch.no_grad():
        loss = float(model.loss(test.batch(rows))["id_loss"])
    share = torch.bincount(ids[ids > 0], minlength=18).double() / (ids > 0).sum()
    assert loss < float(torch.special.entr(share).sum()) - 0.8

"""Every shipped card is complete; the table and a lab's own cards work like them."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from neurokit.catalog import Card, names, read_card, shelf
from neurokit.datasets.fetch import fetch
from neurokit.datasets.shelf import info
from neurokit.datasets.shelf import list as list_datasets
from neurokit.errors import UnknownNameError

SHIPPED = {
    p.stem: p
    for p in sorted(shelf("datasets").rglob("*.toml"))
    if p.parent == shelf("datasets") or p.stem == p.parent.name
}
SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
WANTED = [
    "sleep-edf",
    "eegmmidb",
    "eegmat",
    "tuab",
    "tuar",
    "tusl",
    "tusz",
    "bci-iv-2a",
    "chb-mit",
    "du-in",
    "swec-ethz",
    "hcp-s1200",
    "abide-pcp",
    "adhd-200",
    "development-fmri",
    "haxby2001",
    "bold5000",
    "nsd",
    "lebel2023",
    "narratives",
    "pereira2018",
    "blank2014",
    "fedorenko2016",
    "tuckute2024",
    "natural-stories",
    "things-fmri",
    "things-meg",
    "things-behaviour",
    "steinmetz2019",
    "ibl-bwm",
    "allen-vc-neuropixels",
    "allen-vb-neuropixels",
    "nlb-mc-maze",
    "nlb-mc-rtt",
    "nlb-area2-bump",
    "nlb-dmfc-rsg",
    "crcns-pfc-6",
    "crcns-hc-3",
    "neuroformer-v1al",
    "zurich-hfo",
    "mne-sample",
    "erp-core",
    "ds000117",
    "kriegeskorte92",
    "majajhong2015",
    "ds000205",
    "a2929",
    "schaefer-rest",
    "haxby-slice",
    "mne-sample-eeg",
    "gripforce",
]


def test_catalogue_is_complete() -> None:
    assert set(WANTED) <= set(SHIPPED)
    assert len(SHIPPED) >= 34
    assert set(SHIPPED) <= set(names("datasets"))


@pytest.mark.parametrize("name", SHIPPED)
def test_card(name: str) -> None:
    card = read_card(SHIPPED[name])
    assert card.name == name
    for text in (card.title, card.description, card.citation, card.licence):
        assert text == text.strip()
        assert text
    assert re.search(r"\((19|20)\d\d\)", card.citation), "a citation has a year"
    assert card.doi is None or not card.doi.endswith(".")
    assert card.url is None or card.url.startswith(("https://", "http://"))
    assert card.access == "open" or card.obtain, "how does one get it?"
    assert card.access == "open" or not card.files, "files behind a form cannot be fetched"
    assert len(card.title) <= 80
    assert card.path is None or card.ship, "a shipped card must not point at a machine"


@pytest.mark.parametrize("name", [n for n, p in SHIPPED.items() if p.parent != shelf("datasets")])
def test_embedded_recording_lies_beside_its_card(name: str) -> None:
    card = read_card(SHIPPED[name])
    folder = SHIPPED[name].parent
    assert card.ship
    assert folder in (card.root(), *card.root().parents)
    assert card.entry(card.root()).exists()
    assert any(folder.glob("LICEN[CS]E*")), "its licence file"
    assert fetch(name) == card.root()


def test_embedded_recordings_are_small() -> None:
    table = list_datasets()
    shipped = [n for n, p in SHIPPED.items() if p.parent != shelf("datasets")]
    assert table.set_index("name").loc[shipped, "size"].sum() <= 6_000_000


def test_table() -> None:
    table = list_datasets()
    columns = ["name", "title", "modality", "access", "licence", "size", "cached"]
    assert list(table.columns) == columns
    assert table["name"].is_unique
    assert table.set_index("name").loc["a2929", "cached"]
    fmri = list_datasets("fmri")
    assert {"haxby2001", "nsd"} <= set(fmri["name"])
    assert fmri["modality"].str.contains("fmri").all()
    with pytest.raises(UnknownNameError, match="Unknown modality 'fmr'. Did you mean 'fmri'"):
        list_datasets("fmr")


def test_table_of_nothing(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("neurokit.datasets.shelf.names", lambda _: {})
    assert list_datasets().empty


def test_invalid_lab_card_is_left_out_with_a_warning(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "datasets").mkdir()
    (tmp_path / "datasets" / "bad.toml").write_text("name = 1")
    monkeypatch.setenv("NEUROKIT_CATALOG", str(tmp_path))
    with pytest.warns(UserWarning, match=r"Left out of the list: .*bad\.toml: field"):
        table = list_datasets()
    assert "bad" not in set(table["name"])
    assert "nsd" in set(table["name"])


def test_info_prints_the_card() -> None:
    text = str(info("nsd"))
    assert "https://doi.org/10.1038/s41593-021-00962-x" in text
    assert "access    form" in text


def test_example_in_the_readme_is_a_valid_card(tmp_path: Path) -> None:
    readme = (shelf("datasets") / "README.md").read_text(encoding="utf-8")
    example = re.search(r"```toml\n(.*?)```", readme, re.S)
    assert example is not None
    Card.model_validate(tomllib.loads(example[1]))


def test_readme_names_every_field() -> None:
    readme = (shelf("datasets") / "README.md").read_text(encoding="utf-8")
    fields = set(Card.model_fields) - {"expect", "files", "read"}
    assert [f for f in sorted(fields) if f"`{f}`" not in readme] == []


@pytest.mark.skipif(not SHARED.is_dir(), reason="the folder of real recordings is not there")
def test_lab_folder_with_a_path_works_like_any_other(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "datasets").mkdir()
    (tmp_path / "datasets" / "eegmat-128hz.toml").write_text(
        """
        name = "eegmat-128hz"
        title = "EEGMAT at 128 Hz"
        modality = ["eeg"]
        description = "36 people."
        citation = "Zyma I, et al. (2019)."
        doi = "10.3390/data4010014"
        licence = "ODC-By-1.0"
        access = "open"
        layout = "npz"
        path = "$LAB_SERVER/eeg"
        [read]
        entry = "eegmat_128hz_int16.npz"
        """
    )
    monkeypatch.setenv("NEUROKIT_CATALOG", str(tmp_path))
    monkeypatch.setenv("LAB_SERVER", str(SHARED))
    folder = fetch("eegmat-128hz")
    assert folder == (SHARED / "eeg").resolve()
    assert info("eegmat-128hz").entry(folder).stat().st_size > 1_000_000
    assert list_datasets().set_index("name").loc["eegmat-128hz", "cached"]

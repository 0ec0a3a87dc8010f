"""The shelf is found wherever neurokit is installed, and its files are checked on reading."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import neurokit.catalog as catalog
from neurokit.catalog import Card, Schema, find, names, read_card, read_toml, shelf, shelves
from neurokit.catalog import folders as folders_module
from neurokit.catalog.fields import safe_name
from neurokit.errors import DataError, ReadError, UnknownNameError

GOOD = """
name = "toy"
title = "A toy"
modality = ["eeg"]
description = "For tests."
citation = "Nobody (2020)."
url = "https://example.org"
licence = "CC0-1.0"
access = "open"
layout = "edf"
obtain = "Ask."
"""
FILE = '[[files]]\nurl = "https://example.org/a.zip"\nsha256 = "unverified"\n'


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NEUROKIT_CATALOG", str(tmp_path))
    (tmp_path / "datasets").mkdir()
    return tmp_path


def write(lab: Path, text: str, name: str = "toy") -> Path:
    path = lab / "datasets" / f"{name}.toml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


# Finding


@pytest.mark.parametrize("kind", ["datasets", "models", "alignment"])
def test_shelf_holds_a_readme_that_names_its_code_and_no_python(kind: str) -> None:
    folder = shelf(kind)
    assert f"neurokit/{kind}" in (folder / "README.md").read_text().splitlines()[0]
    assert list(folder.rglob("*.py")) == []


def test_packaged_shelf_wins_over_the_checkout(tmp_path: Path, monkeypatch) -> None:
    package = tmp_path / "neurokit"
    monkeypatch.setattr(folders_module, "_PACKAGE", package)
    with pytest.raises(DataError, match="found neither. Reinstall"):
        shelf("datasets")
    (tmp_path / "datasets").mkdir()
    assert shelf("datasets") == tmp_path / "datasets"
    (package / "_shelf" / "datasets").mkdir(parents=True)
    assert shelf("datasets") == package / "_shelf" / "datasets"


def test_unknown_shelf() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'datasets'"):
        shelf("dataset")


def test_lab_folders_win_over_the_shipped_ones(lab: Path, tmp_path: Path, monkeypatch) -> None:
    other = tmp_path / "other"
    (other / "datasets").mkdir(parents=True)
    monkeypatch.setenv("NEUROKIT_CATALOG", os.pathsep.join([str(lab), str(other), ""]))
    assert shelves("datasets") == [lab / "datasets", other / "datasets", shelf("datasets")]
    assert shelves("models") == [shelf("models")]
    write(lab, GOOD.replace("toy", "haxby2001"), "haxby2001")
    write(other, GOOD.replace("toy", "haxby2001"), "haxby2001")
    assert find("datasets", "haxby2001") == lab / "datasets" / "haxby2001.toml"
    assert catalog.card("haxby2001").title == "A haxby2001"
    assert find("datasets", "nsd").parent == shelf("datasets")


def test_card_in_a_folder_of_its_name(lab: Path) -> None:
    inner = lab / "datasets" / "toy"
    inner.mkdir()
    (inner / "toy.toml").write_text(GOOD)
    (inner / "other.toml").write_text(GOOD)
    assert find("datasets", "toy") == inner / "toy.toml"
    assert "other" not in names("datasets")


def test_missing_lab_folder_is_an_error(monkeypatch) -> None:
    monkeypatch.setenv("NEUROKIT_CATALOG", "/no/such/folder")
    with pytest.raises(DataError, match="existing folders; got '/no/such/folder'"):
        names("datasets")


def test_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(
        UnknownNameError, match=r"Unknown data set 'haxby201'\. Did you mean 'haxby"
    ):
        find("datasets", "haxby201")


HEAVY = ("pydantic", "pandas", "torch", "pooch", "requests", "filelock")


@pytest.mark.parametrize(
    ("script", "allowed"),
    [
        ("from neurokit.catalog import names; names('datasets')", []),
        ("from neurokit.datasets.fetch import fetch; fetch('a2929')", ["pydantic"]),
    ],
)
def test_nothing_heavy_is_loaded(script: str, allowed: list[str]) -> None:
    script += f"; import sys; print([m for m in {HEAVY} if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == str(allowed)


# Reading


def test_good_card(lab: Path) -> None:
    path = write(lab, "\ufeff" + GOOD + FILE)
    read = read_card(path)
    assert (read.name, read.files[0].filename, read.source) == ("toy", "a.zip", path.resolve())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("title =", "titel ="), r"field 'titel': unknown\. Did you mean 'title'.*1 more problem"),
        (("title =", "# title ="), r"field 'title': missing\. It must be given\."),
        (("obtain", "obtian"), r"field 'obtian': unknown\. Did you mean 'obtain'"),
        (('"A toy"', "3"), r"field 'title': expected a valid string; got 3\."),
        (('["eeg"]', '"eeg"'), r"field 'modality': expected a valid list; got 'eeg'"),
        (('["eeg"]', '["egg"]'), r"field 'modality\.0': expected 'eeg', 'ieeg'.*got 'egg'"),
        (('["eeg"]', "[]"), r"field 'modality'"),
        (('"open"', '"closed"'), r"field 'access': expected 'open', 'form' or 'manual'"),
        (("https://example.org", "ftp://example.org"), r"field 'url': expected an http or https"),
        (('url = "https://example.org"', ""), "expected a doi or a url"),
        (('url = "https://example.org"', 'doi = "https://doi.org/10.1"'), "field 'doi'"),
        (('obtain = "Ask."', ""), r"expected \[\[files\]\], path or obtain"),
        (('obtain = "Ask."', 'obtain = "Ask."\nship = true'), "ship = true needs path"),
        (('"toy"', '"Toy"'), "field 'name'"),
        (('"toy"', '"other"'), "field 'name': expected 'toy', as the file is called"),
        (('"toy"', '"toy'), "not valid TOML"),
    ],
)
def test_card_errors_name_the_file_and_the_field(lab: Path, change: tuple, message: str) -> None:
    path = write(lab, GOOD.replace(*change))
    with pytest.raises(ReadError, match=message) as error:
        read_card(path)
    assert str(error.value).startswith(f"{path}: ")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ("[expect]\nsubjects = '36'", r"field 'expect\.subjects': expected a valid integer; got"),
        ("[expect]\nsubjects = 0", r"field 'expect\.subjects'"),
        ("[expect]\nsampling_rate = nan", r"field 'expect\.sampling_rate'"),
        ("[expect]\nsubject = 36", r"field 'expect\.subject': unknown\. Did you mean 'subjects'"),
        (FILE + "md5 = 'x'", r"field 'files\.0\.md5': unknown\..*Known: 'url'"),
        (
            FILE.replace("unverified", "abc"),
            r"field 'files\.0\.sha256': string should match .*; got 'abc'",
        ),
        (FILE.replace("https:", "file:"), r"field 'files\.0\.url': expected an http or https"),
        (FILE + "mirrors = ['file:///etc/passwd']", r"field 'files\.0\.mirrors'"),
        (FILE + "name = '../a'", r"field 'files\.0\.name': expected letters"),
        (FILE + "name = '/etc/a'", r"field 'files\.0\.name': expected letters"),
        (FILE + "name = '.pins'", r"field 'files\.0\.name': expected letters"),
        (FILE + FILE, "two .* are both called 'a.zip'"),
        ("[read]\nentry = '../secret'", r"field 'read\.entry': expected a path inside"),
        ("[read]\nentry = '/etc/passwd'", r"field 'read\.entry': expected a path inside"),
        ("[read]\narguments = { '1x' = 2 }", r"field 'read\.arguments': expected names of key"),
        ("[read]\nfunction = 'os.system'", r"field 'read\.function': unknown"),
    ],
)
def test_errors_inside_tables(lab: Path, extra: str, message: str) -> None:
    with pytest.raises(ReadError, match=message):
        read_card(write(lab, GOOD + extra))


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"x = " + b"[" * 9000, b"#" * (2 << 20)])
def test_other_files_with_the_ending(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "toy.toml"
    path.write_bytes(content)
    with pytest.raises(ReadError, match="not valid TOML|at most 1048576 bytes"):
        read_card(path)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="cannot be read: No such file"):
        read_card(tmp_path / "toy.toml")


def test_any_schema_reads_the_same_way(tmp_path: Path) -> None:
    class Recipe(Schema):
        steps: int

    path = tmp_path / "r.toml"
    path.write_text("steps = 3")
    assert read_toml(path, Recipe).steps == 3
    path.write_text("steps = 3\nstep = 1")
    with pytest.raises(ReadError, match=r"r\.toml: field 'step': unknown\. Did you mean 'steps'"):
        read_toml(path, Recipe)


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://h/a/b.zip?x=1#y", "b.zip"),
        ("https://h/..%2f..%2fetc%2Fpasswd", "passwd"),
        ("https://h/.hidden", "hidden"),
        ("https://h/a%00b;rm.tar.gz", "a_b_rm.tar.gz"),
        ("https://h/", "download"),
        ("https://h/..", "download"),
    ],
)
def test_file_names_are_made_harmless(url: str, name: str) -> None:
    assert safe_name(url) == name


@given(text=st.text(max_size=60))
def test_any_address_gives_a_name_without_folders(text: str) -> None:
    name = safe_name(text)
    assert re.fullmatch(r"[A-Za-z0-9_+@=][A-Za-z0-9._+@=-]*", name)


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    seed=st.sampled_from(sorted(names("datasets").values())),
    edits=st.lists(st.tuples(st.integers(0, 9999), st.characters()), min_size=1, max_size=6),
)
def test_damaged_cards_raise_our_error_or_are_valid(
    seed: Path, edits: list, tmp_path_factory: pytest.TempPathFactory
) -> None:
    text = list(seed.read_text(encoding="utf-8"))
    for at, character in edits:
        text[at % len(text)] = character
    path = tmp_path_factory.mktemp("fuzz") / seed.name
    path.write_text("".join(text), encoding="utf-8", errors="surrogatepass")
    # Only our error may come out of any text.
    with contextlib.suppress(ReadError):
        assert read_card(path).name == seed.stem


# Using


def toy(**fields: object) -> Card:
    base = {
        "name": "toy",
        "title": "A toy",
        "modality": ["eeg"],
        "description": "For tests.",
        "citation": "Nobody (2020).",
        "url": "https://example.org",
        "licence": "CC0-1.0",
        "access": "open",
        "layout": "edf",
        "obtain": "Ask.",
    }
    return Card.model_validate(base | fields)


def test_facts_are_compared() -> None:
    card = toy(expect={"subjects": 36, "sampling_rate": 600.61, "units": "V"})
    card.check({"subjects": 36, "sampling_rate": 600.614990, "channels": 7, "units": None})
    with pytest.raises(DataError, match="expected 36 subjects, found 35"):
        card.check({"subjects": 35})
    with pytest.raises(
        DataError, match="expected sampling rate 600.61 Hz, found 512.0; expected u"
    ):
        card.check({"sampling_rate": 512.0, "units": "uV"})


def test_entry_is_what_the_reader_gets(tmp_path: Path) -> None:
    (tmp_path / "a.npz").touch()
    card = toy(read={"entry": "a.npz"})
    assert card.entry(tmp_path) == tmp_path / "a.npz"
    assert card.entry(tmp_path / "a.npz") == tmp_path / "a.npz"
    assert toy().entry(tmp_path) == tmp_path
    with pytest.raises(DataError, match="to hold 'b.npz'; there is no"):
        toy(read={"entry": "b.npz"}).entry(tmp_path)


def test_home_is_expanded(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert toy(path="~/x").root() == (tmp_path / "x").resolve()
    assert toy().root() is None


def test_wrapped_text_is_one_line() -> None:
    assert toy(description="One\n  sentence.").description == "One sentence."


def test_cards_read_well() -> None:
    text = str(toy(expect={"subjects": 1, "sampling_rate": 100.0}))
    assert text.startswith("toy: A toy\nFor tests.\n")
    assert "1 subject, sampling rate 100 Hz" in text
    assert "None" not in text

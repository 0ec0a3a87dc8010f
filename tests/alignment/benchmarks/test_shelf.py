"""Every benchmark of the shelf is complete, readable by name and honest about its data."""

import pytest

from neurokit import catalog
from neurokit.alignment.benchmarks import benchmark, leaderboard
from neurokit.alignment.benchmarks.protocols import PROTOCOLS, under_protocol
from neurokit.catalog import benchmark_card
from neurokit.datasets.assemblies import LAYOUTS
from neurokit.errors import NeurokitError, ReadError, UnknownNameError

WANTED = {
    "tuckute2024", "pereira2018-243", "pereira2018-384", "blank2014", "fedorenko2016",
    "wehbe2014", "futrell2018", "lebel2023", "narratives", "bold5000", "nsd", "majajhong2015",
    "kriegeskorte92", "things-odd-one-out", "haxby-words",
}  # fmt: skip
NAMES = list(catalog.names("alignment"))


def test_the_shelf_is_complete():
    assert set(NAMES) >= WANTED


@pytest.mark.parametrize("name", NAMES)
def test_a_benchmark_names_data_reader_and_rivals(name):
    card = benchmark_card(name)
    data = catalog.card(card.data)
    assert card.layout in LAYOUTS
    assert card.nuisance, "a sceptic's features"
    assert card.ceiling.kind == "none" or card.ceiling.note
    assert len(card.description) > 80
    assert data.citation


@pytest.mark.parametrize("name", NAMES)
def test_no_shipped_folds_leak(name):
    card = benchmark_card(name)
    assert card.folds.kind != "shuffled"
    reach = max(card.regression.delays, default=0)
    assert card.folds.kind != "contiguous" or card.folds.gap >= reach


@pytest.mark.parametrize("name", [n for n in NAMES if n != "haxby-words"])
def test_data_that_are_not_here_say_how_to_get_them(name, tmp_path, monkeypatch):
    """Without a network, too, there is one clear line."""
    monkeypatch.setenv("NEUROKIT_DATA", str(tmp_path))
    monkeypatch.setattr("socket.socket.connect", _offline)
    with pytest.raises(NeurokitError, match=r"by hand|downloaded|obtained|put "):
        _ = benchmark(name).assembly


def _offline(*_):
    raise OSError("no network in tests")


@pytest.mark.parametrize("name", NAMES)
def test_partial_data_are_refused(name, tmp_path):
    (tmp_path / "unrelated.txt").write_text("nothing")
    with pytest.raises(NeurokitError, match=r".+") as error:
        _ = benchmark(name, tmp_path).assembly
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("name", ["tuckute2024", "pereira2018-384", "lebel2023", "nsd"])
def test_protocols_change_settings_and_hash(name, protocol):
    own = benchmark_card(name)
    if protocol == "lebel" and not own.folds.group:
        with pytest.raises(ReadError, match="cannot follow the protocol 'lebel': .* needs group"):
            under_protocol(own, protocol)
        return
    card = under_protocol(own, protocol)
    assert card.protocol == protocol
    assert (card.digest() == own.digest()) == (protocol == own.protocol)
    if own.folds.group and protocol == "brain-score":
        assert card.folds.kind == "group"


def test_protocols_are_what_they_were_published_as():
    card = under_protocol(benchmark_card("tuckute2024"), "brain-score")
    assert card.regression.alphas == [10.0**k for k in range(-3, 4)]
    assert (card.folds.n, card.folds.share, card.aggregate) == (10, 0.1, "median")
    assert under_protocol(benchmark_card("lebel2023"), "lebel").regression.delays == [1, 2, 3, 4]
    with pytest.raises(UnknownNameError, match="Did you mean 'brain-score'"):
        under_protocol(card, "brainscore")


def test_words_for_people_change_no_hash():
    card = benchmark_card("tuckute2024")
    assert card.model_copy(update={"title": "Other"}).digest() == card.digest()
    assert card.model_copy(update={"seed": 1}).digest() != card.digest()


GOOD = """
name = "toy"
title = "A toy"
description = "For tests."
suite = "test"
version = 1
data = "tuckute2024"
layout = "tuckute2024"
stimuli = "text"
"""


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (GOOD + "nuisanse = ['words']", r"field 'nuisanse': unknown\. Did you mean 'nuisance'"),
        (GOOD + "metrics = ['r3']", r"field 'metrics\.0': expected 'r', 'R2'"),
        (GOOD + "metrics = []", "field 'metrics'"),
        (GOOD + "metrics = ['odd-one-out']", "'odd-one-out' and stimuli = 'triplets'"),
        (GOOD + "metrics = ['rsa-spearman', 'r']", "fits no regression; let it stand alone"),
        (GOOD + "metrics = ['delta-R2']", "is over nuisance features; name them"),
        (GOOD + "[folds]\nkind = 'group'", "kind = 'group' needs group"),
        (GOOD + "[folds]\nkind = 'given'\ngroup = 'story'", "kind = 'given' needs test"),
        (GOOD + "[folds]\nkind = 'contiguous'", "kind = 'contiguous' needs n"),
        (GOOD + "[folds]\nn = 1", r"field 'folds\.n'"),
        (GOOD + "[ceiling]\nkind = 'value'", "kind = 'value' and value go together"),
        (GOOD + "[regression]\nalphas = []", r"field 'regression\.alphas"),
        (GOOD.replace('"toy"', '"other"'), "expected 'toy', as the file is called"),
        (GOOD.replace("version = 1", "version = 0"), "field 'version'"),
    ],
)
def test_a_wrong_definition_names_file_and_field(tmp_path, text, message):
    path = tmp_path / "toy.toml"
    path.write_text(text)
    with pytest.raises(ReadError, match=message) as error:
        benchmark_card(str(path))
    assert str(path) in str(error.value)


def test_a_definition_of_ones_own(tmp_path, monkeypatch):
    (tmp_path / "alignment").mkdir()
    (tmp_path / "alignment" / "toy.toml").write_text(GOOD)
    monkeypatch.setenv("NEUROKIT_CATALOG", str(tmp_path))
    assert benchmark("toy").card.source.parent == tmp_path / "alignment"
    assert benchmark(str(tmp_path / "alignment" / "toy.toml")).card.name == "toy"


def test_unknown_benchmark():
    with pytest.raises(UnknownNameError, match=r"Unknown benchmark 'tuckute'\. Did you mean"):
        benchmark("tuckute")


def test_shipped_results_are_of_the_shipped_settings():
    table = leaderboard(results=catalog.shelf("alignment") / "results")
    assert {"haxby-words", "tuckute2024"} <= set(table["benchmark"])
    assert not table["stale"].any()
    assert (table["configuration_hash"].str.len() == 64).all()

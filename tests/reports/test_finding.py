import pandas as pd
import pytest

from neurokit.errors import DataError
from neurokit.reports import Finding, Outcome
from neurokit.reports.finding import as_findings


def finding(value=0.6, **given):
    facts = {"interval": (0.5, 0.7), "chance": 0.2, "baseline": ("rival", 0.3)} | given
    return Finding("Q?", facts.pop("measure", "accuracy"), value, **facts)


@pytest.mark.parametrize(
    ("given", "kind", "text"),
    [
        ({}, "good", "Clear of chance and baseline"),
        ({"baseline": None}, "good", "Clear of chance"),
        ({"baseline": ("rival", 0.55)}, "open", "Clear of chance, not of the baseline"),
        ({"chance": 0.5}, "open", "Not told from chance"),
        ({"p_value": 0.2}, "open", "Not told from chance"),
        ({"p_value": 0.01}, "good", "Clear of chance and baseline"),
        ({"chance": None}, "open", "Not tested against chance"),
        ({"interval": None}, "open", "Not tested against chance"),
        ({"interval": None, "p_value": 0.01}, "good", "Clear of chance and baseline"),
        ({"band": (0.0, 0.5)}, "bad", "Outside its recorded band"),
        ({"band": (0.5, 0.7)}, "good", "Clear of chance and baseline"),
        ({"value": float("nan")}, "bad", "No value"),
        ({"outcome": Outcome("open", "Said so")}, "open", "Said so"),
    ],
)
def test_judgement(given, kind, text):
    assert finding(**given).judge() == Outcome(kind, text)


def test_less_is_better_turns_the_comparison_round():
    error = {"value": 10.0, "interval": (9.0, 11.0), "chance": 90.0, "baseline": ("rival", 70.0)}
    assert finding(**error, measure="error (less is better)").judge().kind == "good"
    assert finding(**error, measure="error").judge().text == "Not told from chance"


def test_names_of_a_mapping_win():
    found = as_findings({"one": finding(name="old"), "two": finding()})
    assert [f.name for f in found] == ["one", "two"]
    assert as_findings([finding(name="old")])[0].name == "old"
    assert as_findings(finding())[0].question == "Q?"


def test_a_single_citation_is_not_taken_apart():
    class Loose:
        question, measure, value, citations = "Q?", "m", 1.0, "Haxby 2001"

    assert as_findings(Loose())[0].citations == ("Haxby 2001",)


@pytest.mark.parametrize("wrong", ["text", 3, None, pd.DataFrame({"auroc": [0.5]})], ids=type)
def test_what_is_no_result(wrong):
    told = rf"Expected results to be answers .*got {type(wrong).__name__}"
    with pytest.raises(DataError, match=told):
        as_findings(wrong)


def test_results_without_the_needed_attributes():
    with pytest.raises(DataError, match="got dict without question, measure, value"):
        as_findings([{"r": 1}])

import pytest

from neurokit.reports import Finding
from neurokit.reports.wording import number, quantity, references, sentence, spread


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"), (0.604, "0.604"), (99.96, "100"), (123.4, "123"), (2e7, "2.00e+07"),
        (1e-7, "1.00e−07"), (-2.5, "−2.5"), (float("-inf"), "−∞"),
    ],
)  # fmt: skip
def test_numbers(value, text):
    assert number(value) == text


@pytest.mark.parametrize(
    ("interval", "text"),
    [
        ((9.04, 11.7), "9.0 to 11.7"), ((0.1, 0.1), "0.1 to 0.1"), ((-0.1, 0.6), "−0.10 to 0.60"),
        ((1.0, 2e7), "1 to 2.00e+07"), ((float("nan"), 1.0), "NaN to 1"), (None, "—"),
        ((100.0, 1500.0), "100 to 1,500"),
    ],
)  # fmt: skip
def test_intervals_have_one_number_of_decimals(interval, text):
    assert spread(interval) == text


def test_units():
    assert quantity(5.0, "%") == "5%"
    assert quantity(5.0, "µV") == "5\N{NO-BREAK SPACE}µV"
    assert quantity(float("nan"), "µV") == "NaN"
    assert spread((1.0, 2.0), "r") == "1.0 to 2.0"


def test_sentence_names_what_the_score_is_read_against():
    finding = Finding(
        "Q?", "error (less is better)", 10.0, unit="°", interval=(9.0, 11.0), chance=90.0,
        baseline=("CA1", 77.0), ceiling=1.0,
    )  # fmt: skip
    assert sentence(finding) == (
        "The error is 10° (interval 9.0 to 11.0°), against 90° at chance, 77° for a sceptic’s "
        "baseline (CA1) and a ceiling of 1°."
    )
    assert sentence(Finding("Q?", "r, mean of runs", 1.0)) == "The r, mean of runs, is 1."
    assert sentence(Finding("Q?", "m", 1.0)) == "The m is 1."
    assert sentence(Finding("Q?", "m", 1.0, answer="Yes.")) == "Yes."


def test_references_are_numbered_by_first_citation():
    papers = [Finding("a", "m", 1.0, citations=c) for c in (("B", "A"), ("C", "B"), ())]
    entries, cited = references(papers, {"C": "10.1000/c"})
    assert [(e.number, e.text, e.doi) for e in entries] == [
        (1, "B", ""), (2, "A", ""), (3, "C", "10.1000/c"),
    ]  # fmt: skip
    assert cited == [[1, 2], [1, 3], []]


def test_doi_ends_before_punctuation():
    one = Finding("a", "m", 1.0, citations=("See (https://doi.org/10.1000/x_y.1).",))
    assert references([one], {})[0][0].doi == "10.1000/x_y.1"

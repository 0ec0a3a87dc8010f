import pytest

from neurokit.demo.answer import Answer
from neurokit.errors import DataError


def make(**changes):
    base = {
        "question": "Is it?",
        "data": "x",
        "measure": "share",
        "value": 0.5,
        "unit": "share",
        "interval": (0.4, 0.6),
        "interval_of": "95 %",
        "chance": 0.1,
        "baseline": ("none", 0.2),
        "ceiling": None,
        "ceiling_note": "none",
        "band": (0.45, 0.55),
        "n_samples": 10,
        "split": "none",
        "seed": 0,
        "caveat": "none",
        "method": "none",
        "citations": (),
        "code": "0.5",
    }
    return Answer(**{**base, **changes})


@pytest.mark.parametrize(("value", "inside"), [(0.45, True), (0.55, True), (0.449, False)])
def test_band_is_closed(value, inside):
    assert make(value=value).in_band is inside


def test_row_reads_well():
    row = make(value=10.41339, unit="°", ceiling=1.0, p_value=1 / 101).row()
    assert row["value"] == "10.4 °"
    assert row["interval"] == "0.4 to 0.6"
    assert row["baseline"] == "0.2 (none)"
    assert row["ceiling"] == "1"
    assert row["p"] == "0.0099"
    assert row["ok"] is False
    assert make().row()["ceiling"] == "none"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"value": float("nan")}, "value is nan, expected a finite number"),
        ({"chance": float("inf")}, "chance is inf"),
        ({"details": {"r": float("nan")}}, "r is nan"),
        ({"interval": (0.6, 0.4)}, "interval runs from 0.6 to 0.4"),
        ({"band": (2.0, 1.0)}, "band runs from 2.0 to 1.0"),
    ],
)
def test_numbers_are_checked(changes, message):
    with pytest.raises(DataError, match=message):
        make(**changes)

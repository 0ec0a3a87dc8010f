import base64
import struct

import numpy as np
import pytest

from neurokit.reports import Finding
from neurokit.reports.pictures import draw, marks, pictures, strip_text


def decoded(picture):
    kind, _, data = picture.uri.removeprefix("data:").partition(";base64,")
    return kind, base64.b64decode(data)


def test_small_drawings_are_vectors_and_repeat_exactly():
    first, second = (draw(lambda ax: ax.plot([0, 1]), "t", "a") for _ in range(2))
    assert first == second
    assert decoded(first)[0] == "image/svg+xml"
    assert (first.width, first.height) == (480, 320)


def test_heavy_drawings_become_pixels_at_twice_the_size():
    rng = np.random.default_rng(0)
    picture = draw(lambda ax: ax.scatter(*rng.random((2, 20_000)), s=1), "t", "a")
    kind, data = decoded(picture)
    assert kind == "image/png"
    assert struct.unpack(">II", data[16:24]) == (2 * picture.width, 2 * picture.height)


def test_names_that_look_like_broken_formulas_are_drawn():
    hostile = Finding("$\\frac$ or $", "$\\bad{$", 0.5, chance=0.1)
    assert len(pictures(hostile)) == 1


def test_finding_without_figures_gets_its_score_drawn():
    assert [p.title for p in pictures(Finding("Q?", "m", 0.5))] == [
        "The score and what it is read against"
    ]
    assert pictures(Finding("Q?", "m", float("nan"))) == []


def test_marks_keep_order_and_stay_on_the_strip():
    finding = Finding(
        "Q?", "m", 0.5, interval=(0.4, 0.6), chance=0.1, baseline=("b", 0.3), ceiling=0.9
    )
    placed = {m.kind: m.position for m in marks(finding)}
    assert sorted(placed, key=placed.get) == [
        "chance", "baseline", "low", "value", "high", "ceiling",
    ]  # fmt: skip
    assert all(0 <= p <= 132 for p in placed.values())
    # Distances on the strip are proportional to distances between the numbers.
    assert placed["high"] - placed["low"] == pytest.approx(116 * 0.2 / 0.8, abs=0.02)


def test_marks_leave_out_what_is_not_finite():
    finding = Finding("Q?", "m", 0.5, chance=float("inf"), ceiling=float("nan"))
    assert [m.kind for m in marks(finding)] == ["value"]
    assert marks(Finding("Q?", "m", float("nan"), chance=0.1)) == []


def test_strip_in_words():
    finding = Finding("Q?", "m", 0.5, chance=0.1, baseline=("b", 0.3), ceiling=0.9)
    assert strip_text(finding) == "value 0.5, chance 0.1, baseline 0.3, ceiling 0.9"

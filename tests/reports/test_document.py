import base64
import errno
import os
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

import neurokit as nk
from neurokit.errors import DataError
from neurokit.reports import Finding, report

HOSTILE = "<script>alert(1)</script>\"'&{{ 7 * 7 }}"


@dataclass(frozen=True)
class Foreign:
    """An answer of somebody else's class, which has the attributes by name."""

    question: str = "Can the direction of the head be read?"
    data: str = "a2929"
    measure: str = "median absolute error (less is better)"
    value: float = 10.4
    unit: str = "°"
    interval: tuple = (9.1, 11.7)
    interval_of: str = "95 %, bootstrap over blocks"
    chance: float = 90.0
    baseline: tuple = ("CA1 units", 77.0)
    ceiling: float | None = None
    ceiling_note: str = "none: the tracker has no noise estimate"
    band: tuple = (9.5, 11.5)
    n_samples: int = 2646
    split: str = "10 contiguous folds"
    seed: int = 3
    caveat: str = "One mouse."
    method: str = "Directions were decoded from spike counts."
    citations: tuple = (
        "Viejo G, et al. (2023). Pynapple, a toolbox for data analysis in neuroscience. "
        "eLife 12:RP85786.",
        "Zhang K, et al. (1998). doi:10.1152/jn.1998.79.2.1017",
    )
    code: str = "print(10.4)"
    p_value: float = 0.01
    details: dict = field(default_factory=lambda: {"shifts (n)": 100.0})
    figures: dict = field(default_factory=lambda: {"A line": lambda ax: ax.plot([0, 1])})


class Outline(HTMLParser):
    """Collects what a reader's program would rely on."""

    def __init__(self):
        super().__init__()
        self.tags, self.headings, self.ids, self.addresses, self.text = [], [], [], [], []

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.tags.append((tag, attributes))
        if re.fullmatch(r"h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if "id" in attributes:
            self.ids.append(attributes["id"])
        self.addresses += [(tag, attributes[k]) for k in ("src", "href") if k in attributes]

    def handle_data(self, data):
        self.text.append(data)


def parsed(path: Path) -> Outline:
    outline = Outline()
    outline.feed(path.read_text(encoding="utf-8"))
    return outline


@pytest.fixture
def page(tmp_path):
    return report([Foreign(), Foreign(data="my own mice", seed=4)], tmp_path / "report.html")


def test_public_name():
    assert nk.report is report


def test_says_everything_about_an_answer(page):
    text = " ".join("".join(parsed(page).text).split())
    for part in (
        "Can the direction of the head be read?", "10.4°", "9.1 to 11.7°", "90°", "77°",
        "CA1 units", "the tracker has no noise estimate", "2,646", "10 contiguous folds",
        "One mouse.", "print(10.4)", "p = 0.01", "Clear of chance and baseline", "shifts (n)",
        "Directions were decoded", "Python", "sha256", "3, 4", "9.5 to 11.5°",
    ):  # fmt: skip
        assert part in text, part


def test_nothing_is_loaded_from_anywhere(page):
    for tag, address in parsed(page).addresses:
        assert address.startswith(("data:", "#")) or (
            tag == "a" and address.startswith("https://doi.org/")
        ), (tag, address)
    raw = page.read_text(encoding="utf-8")
    assert "default-src 'none'" in raw
    assert not re.search(r"<script|<iframe|<object|<embed|@import|url\(|srcset", raw)


def test_each_paper_is_cited_once_with_its_doi(page):
    outline = parsed(page)
    entries = [i for i in outline.ids if i.startswith("ref-")]
    assert entries == ["ref-1", "ref-2"]
    links = [a for t, a in outline.addresses if t == "a" and a.startswith("https")]
    # The first DOI comes from the data set's card, the second from the text.
    assert links == [
        "https://doi.org/10.7554/eLife.85786",
        "https://doi.org/10.1152/jn.1998.79.2.1017",
    ]


def test_every_internal_link_has_a_target(page):
    outline = parsed(page)
    assert len(set(outline.ids)) == len(outline.ids)
    inside = {a[1:] for t, a in outline.addresses if t == "a" and a.startswith("#")}
    assert inside
    assert inside <= set(outline.ids)


def test_accessible_structure(page):
    outline = parsed(page)
    tags = dict(outline.tags)
    assert tags["html"]["lang"] == "en"
    assert outline.headings[0] == 1
    assert outline.headings.count(1) == 1
    assert all(b - a <= 1 for a, b in zip(outline.headings, outline.headings[1:], strict=False))
    assert all(a.get("alt") for t, a in outline.tags if t == "img")
    assert all(a.get("scope") in ("col", "row") for t, a in outline.tags if t == "th")


@pytest.mark.parametrize("scheme", [0, 1])
def test_text_has_the_contrast_that_the_guidelines_ask_for(page, scheme):
    blocks = re.findall(r":root \{(.*?)\}", page.read_text(encoding="utf-8"), re.DOTALL)
    colors = dict(re.findall(r"--([\w-]+): (#\w{6})", blocks[scheme]))
    pairs = [(t, g) for t in ("ink", "muted", "accent") for g in ("page", "raised")]
    pairs += [(kind, f"{kind}-soft") for kind in ("good", "open", "bad")]
    for text, ground in pairs:
        assert contrast(colors[text], colors[ground]) >= 4.5, (text, ground)


def contrast(one: str, other: str) -> float:
    def luminance(color):
        channels = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255
        linear = np.where(
            channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4
        )
        return float(linear @ [0.2126, 0.7152, 0.0722])

    low, high = sorted([luminance(one), luminance(other)])
    return (high + 0.05) / (low + 0.05)


def test_hostile_text_stays_text(tmp_path):
    hostile = Finding(
        HOSTILE, HOSTILE, 1.0, unit=HOSTILE, data=HOSTILE, interval=(0.0, 2.0),
        interval_of=HOSTILE, baseline=(HOSTILE, 0.0), ceiling_note=HOSTILE, split=HOSTILE,
        caveat=HOSTILE, method=HOSTILE, citations=(HOSTILE + ' 10.1000/"><script>',), code=HOSTILE,
        details={HOSTILE: 1.0}, figures={HOSTILE: lambda ax: ax.set_title(HOSTILE)}, name=HOSTILE,
    )  # fmt: skip
    path = report({HOSTILE: hostile}, tmp_path / "report.html", title=HOSTILE)
    outline = parsed(path)
    assert not [tag for tag, _ in outline.tags if tag == "script"]
    assert "".join(outline.text).count(HOSTILE) >= 10
    assert not re.search(r"<[^>]*\son\w+=", path.read_text(encoding="utf-8"))


def test_missing_numbers_are_said_to_be_missing(tmp_path):
    path = report(Finding("What is it?", "value", float("nan")), tmp_path / "report.html")
    text = "".join(parsed(path).text)
    assert "NaN" in text
    assert "No value" in text
    assert "There is no finite value" in text
    assert "1 failed" in text


def test_same_results_give_the_same_page_but_for_the_date(tmp_path):
    pages = [report(Foreign(), tmp_path / f"{i}.html").read_text("utf-8") for i in range(2)]
    undated = [re.sub(r"\d{4}-\d\d-\d\dT[\d:+-]+", "", page) for page in pages]
    assert undated[0] == undated[1]


def test_wall_time_and_names_are_shown(tmp_path):
    path = report({"mouse": Foreign()}, tmp_path / "a" / "b.html", title="Two", wall_time=12.34)
    text = "".join(parsed(path).text)
    assert "12.3 s" in text
    assert "mouse · " in text


def test_failed_write_is_told_and_leaves_the_old_report(tmp_path, monkeypatch):
    path = tmp_path / "report.html"
    path.write_text("old")

    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=r"Could not write the report to .*No space.*is intact"):
        report(Foreign(), path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_path_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OSError, match="Could not write the report to"):
        report(Foreign(), tmp_path / "file" / "report.html")
    with pytest.raises(OSError, match="Could not write the report to"):
        report(Foreign(), tmp_path)
    assert (tmp_path / "file").read_text() == "in the way"


def test_picture_is_drawn_once_and_embedded(tmp_path):
    calls = []
    finding = Finding("Q?", "m", 1.0, figures={"T": lambda ax: calls.append(ax)})
    raw = report(finding, tmp_path / "r.html").read_text("utf-8")
    assert len(calls) == 1
    svg = base64.b64decode(re.search(r"data:image/svg\+xml;base64,([\w+/=]+)", raw).group(1))
    assert svg.startswith(b"<?xml")


@pytest.mark.parametrize("nothing", [[], {}, ()])
def test_nothing_to_report(nothing, tmp_path):
    with pytest.raises(DataError, match="nothing to report"):
        report(nothing, tmp_path / "r.html")
    assert not (tmp_path / "r.html").exists()

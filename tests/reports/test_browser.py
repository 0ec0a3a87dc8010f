"""The report in a real browser: silent, alone, and no wider than the screen."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from neurokit.plotting import confusion
from neurokit.reports import Finding, report

pytestmark = pytest.mark.browser

LONG = "a_name_without_any_place_to_break_" * 6


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    table = xr.DataArray(
        np.eye(3), {"true": ["a", "b", "<script>"], "predicted": ["a", "b", "<script>"]}
    )
    rich = Finding(
        f"Is the {LONG} <script>console.error('injected')</script> read?",
        "share correct",
        0.6,
        data=LONG,
        interval=(0.5, 0.7),
        interval_of="95 %, bootstrap over runs",
        chance=0.125,
        baseline=(LONG, 0.2),
        ceiling_note=f"none: {LONG}",
        band=(0.5, 0.7),
        n_samples=1_234_567,
        seed=0,
        caveat="<img src='http://127.0.0.1:9/x.png'>" + LONG,
        method="Counted.",
        citations=("Haxby 2001. doi:10.1126/science.1063736", LONG),
        code=f"print('{LONG}')",
        details={LONG: 1.0},
        figures={"Named": lambda ax: confusion(table, ax), LONG: lambda ax: ax.plot([0, 1])},
    )
    empty = Finding("What is missing?", "value", math.nan)
    return report([rich, empty], tmp_path_factory.mktemp("report") / "report.html")


def injected(page: Path, fragment: str, *, keep_policy: bool) -> Path:
    text = page.read_text(encoding="utf-8").replace("</body>", f"{fragment}</body>")
    if not keep_policy:
        text = text.replace("Content-Security-Policy", "X-None")
    other = page.with_name("injected.html")
    other.write_text(text, encoding="utf-8")
    return other


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [1280, 768, 400])
def test_report_is_silent_asks_for_nothing_and_fits(browser, page, width, dark):
    seen = browser.visit(page, width, dark=dark)
    assert seen.errors == []
    assert seen.requests == []
    assert seen.overflow <= 0


def test_a_request_is_noticed(browser, page):
    image = '<img src="http://127.0.0.1:9/x.png" alt="">'
    seen = browser.visit(injected(page, image, keep_policy=False), 1280)
    assert seen.requests == ["http://127.0.0.1:9/x.png"]


def test_an_error_in_the_console_is_noticed(browser, page):
    script = "<script>console.error('broken')</script>"
    seen = browser.visit(injected(page, script, keep_policy=False), 1280)
    assert any("broken" in error for error in seen.errors)


def test_an_exception_is_noticed(browser, page):
    seen = browser.visit(injected(page, "<script>undefinedName</script>", keep_policy=False), 1280)
    assert seen.errors


def test_overflow_is_noticed(browser, page):
    wide = '<div style="width: 2000px">wide</div>'
    assert browser.visit(injected(page, wide, keep_policy=False), 1280).overflow > 700


def test_policy_stops_scripts_and_requests(browser, page):
    hostile = (
        "<script>new Image().src = 'http://127.0.0.1:9/from_script.png'</script>"
        '<img src="http://127.0.0.1:9/x.png" alt="">'
    )
    seen = browser.visit(injected(page, hostile, keep_policy=True), 1280)
    assert not any("from_script" in url for url in seen.requests)
    assert sum("Content Security Policy" in error for error in seen.errors) == 2

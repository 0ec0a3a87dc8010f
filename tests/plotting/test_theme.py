import subprocess
import sys

import matplotlib
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

import neurokit as nk
from neurokit.plotting.theme import COLORS, axes_or_new, color, literal


def test_settings_are_restored():
    before = dict(matplotlib.rcParams)
    with nk.plotting.style():
        assert matplotlib.rcParams["axes.spines.top"] is False
    assert dict(matplotlib.rcParams) == before


def test_cycle_is_distinct_and_readable_on_white():
    shades = [color(i) for i in range(8)]
    assert len(set(shades)) == 8
    # Non-text contrast of at least 3 for what carries meaning in the first six.
    for shade in shades[:6]:
        linear = [
            c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(shade)
        ]
        luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
        assert 1.05 / (luminance + 0.05) >= 3, shade
    assert set(shades) <= set(COLORS.values())


def test_given_axes_are_used():
    ax = Figure().add_subplot()
    assert axes_or_new(ax) is ax
    assert axes_or_new(None).figure.get_size_inches() == pytest.approx((4.8, 3.2))


def test_broken_formulas_are_drawn_as_text(tmp_path):
    figure = Figure()
    figure.add_subplot().set_title(literal("$\\frac and $x$"))
    figure.savefig(tmp_path / "figure.svg")
    assert (tmp_path / "figure.svg").stat().st_size > 0


def test_import_is_light():
    code = (
        "import sys, neurokit.plotting; "
        "print([m for m in ('matplotlib', 'mne', 'pandas', 'torch') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from neurokit.errors import DataError
from neurokit.plotting import code_patterns, code_prototypes, code_usage, reconstruction


def signal(axis="time"):
    x = np.arange(200) / 100
    values = np.random.default_rng(0).uniform(1, 2, size=(200, 3))
    return xr.DataArray(values, {axis: x, "channel": ["C3", "C4", "P$z"]}, [axis, "channel"])


def places(**columns):
    table = {"pattern": [2, 0, 0, 0], "channel": ["C4", "C3", "P$z", "Oz"]}
    return pd.DataFrame(table | columns)


def shaded(ax):
    return [(p.get_x(), p.get_x() + p.get_width()) for c in ax.containers for p in c.patches]


def test_patterns_are_shaded_where_they_are():
    where = places(start=[0.5, 0.2, 5.0, 0.1], stop=[0.75, 0.4, 6.0, 0.3])
    for given in (signal(), signal().transpose()):
        ax = code_patterns(given, where, labels={2: "a $ sign"})
        # The third is after the end of the signal, and the fourth in no channel of it.
        assert shaded(ax) == [pytest.approx((0.2, 0.4)), pytest.approx((0.5, 0.75))]
        rows = [patch.get_y() + patch.get_height() / 2 for c in ax.containers for patch in c]
        heights = dict(zip(["C3", "C4", "P$z"], ax.get_yticks(), strict=True))
        assert rows == pytest.approx([heights["C3"], heights["C4"]])
        legend = [text.get_text() for text in ax.get_legend().get_texts()]
        assert legend == ["pattern 0", r"a \$ sign"]
        assert [text.get_text() for text in ax.get_yticklabels()] == ["C3", "C4", r"P\$z"]


def test_bands_are_shaded_on_spectra():
    where = places(low=[0.5, 0.2, 0.4, 0.1], high=[0.75, 0.4, 0.6, 0.3], start=0.0, stop=5.0)
    ax = code_patterns(signal("frequency"), where)
    assert len(shaded(ax)) == 3
    assert ax.get_xlabel() == "frequency (Hz)"


def test_channels_share_one_scale():
    data = signal()
    data[:, 1] *= 3
    lines = code_patterns(data, places(start=0.0, stop=0.0)).lines
    spread = [np.ptp(line.get_ydata()) for line in lines]
    assert spread[1] / spread[0] == pytest.approx(3, rel=0.1)


def test_a_flat_signal_without_patterns_can_be_drawn():
    none = places(start=0.0, stop=0.0).head(0)
    ax = code_patterns(signal() * 0, none)
    assert ax.get_legend() is None


def test_patterns_want_their_columns_and_dims():
    with pytest.raises(DataError, match=r"places lacks \['high', 'low'\], to be drawn along freq"):
        code_patterns(signal("frequency"), places(start=0.0, stop=1.0))
    with pytest.raises(DataError, match=r"got \('time',\)"):
        code_patterns(signal()[:, 0], places(start=0.0, stop=1.0))


def test_usage_is_sorted_and_says_its_perplexity():
    ax = code_usage(np.array([[3, 3, 3], [3, 1, 1]]), 5)
    shares = [patch.get_height() for patch in ax.patches]
    assert shares == pytest.approx([4 / 6, 2 / 6, 0, 0, 0])
    perplexity = np.exp(-(4 / 6 * np.log(4 / 6) + 2 / 6 * np.log(2 / 6)))
    assert ax.get_title() == f"2 of 5 codes used, perplexity {perplexity:.3g}"
    for wrong in ([], [5], [-1], [0.5]):
        with pytest.raises(DataError, match="whole numbers from 0 to 4"):
            code_usage(wrong, 5)


def test_reconstruction_lies_over_its_input():
    given = signal("frequency")[:, 0]
    ax = reconstruction(given, given + 1)
    np.testing.assert_array_equal(ax.lines[1].get_ydata(), given + 1)
    assert ax.get_yscale() == "log"
    assert reconstruction(signal()[:, 0], signal()[:, 1]).get_yscale() == "linear"
    for wrong in (given[:5], signal()[:, 0]):
        with pytest.raises(DataError, match="and one length; got"):
            reconstruction(given, wrong)


def test_prototypes_are_lines_with_their_codes():
    values = xr.DataArray(
        np.ones((2, 4)), {"code": [7, 3], "frequency": np.arange(4.0)}, ["code", "frequency"]
    )
    ax = code_prototypes(values)
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["code 7", "code 3"]
    assert ax.get_yscale() == "log"
    assert code_prototypes(values.assign_attrs(units="SD")).get_yscale() == "linear"
    with pytest.raises(
        DataError, match=r"dims \('code', 'frequency'\); got \('frequency', 'code'\)"
    ):
        code_prototypes(values.transpose())

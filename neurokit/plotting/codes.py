"""Code words: where their patterns are, how often they are used, and what they stand for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neurokit.errors import DataError
from neurokit.plotting.theme import (
    COLORS,
    axes_or_new,
    axis_label,
    color,
    legend_above,
    literal,
    value_label,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    import xarray as xr
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

__all__ = ["code_patterns", "code_prototypes", "code_usage", "reconstruction"]

# Of the axis along which patches lie: the columns that bound a pattern.
_SPANS = {"time": ("start", "stop"), "frequency": ("low", "high")}


def code_patterns(
    signal: xr.DataArray,
    places: pd.DataFrame,
    ax: Axes | None = None,
    *,
    labels: Mapping[int, str] | None = None,
) -> Axes:
    """Draw channels under each other, the patterns of code words shaded where they are.

    Parameters
    ----------
    signal : DataArray, dims (time, channel) or (frequency, channel)
        A stretch of a recording on its clock; or its amplitude spectrum, where the patterns
        are bands.
    places : DataFrame
        ``places`` of :func:`neurokit.models.eegformer.explain`, or some of its rows:
        ``pattern``, ``channel``, and ``start`` and ``stop`` (s) or ``low`` and ``high`` (Hz).
        What lies outside the signal, or in other channels, is left out.
    ax : matplotlib.axes.Axes, optional
        Where to draw.
    labels : mapping of int to str, optional
        What the legend calls each pattern.

    Returns
    -------
    matplotlib.axes.Axes
        The first channel on top; spectra in decibels around each channel's median.

    Raises
    ------
    DataError
        If the dimensions are others, or a column is missing.

    Examples
    --------
    >>> import numpy as np, pandas as pd, xarray as xr
    >>> time = np.arange(256) / 128
    >>> eeg = xr.DataArray(
    ...     np.random.default_rng(0).normal(size=(256, 2)),
    ...     {"time": time, "channel": ["C3", "C4"]}, ["time", "channel"],
    ... )
    >>> places = pd.DataFrame({"pattern": [0], "channel": ["C4"], "start": [0.5], "stop": [1.0]})
    >>> ax = code_patterns(eeg, places, labels={0: "spindle"})
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['spindle']
    """
    axis = next((d for d in _SPANS if set(signal.dims) == {d, "channel"}), None)
    if axis is None:
        raise DataError(
            "Expected a signal with dims ('time', 'channel') or ('frequency', 'channel'); got "
            f"{signal.dims}."
        )
    columns = {"pattern", "channel", *_SPANS[axis]}
    if missing := sorted(columns - set(places.columns)):
        raise DataError(f"places lacks {missing}, to be drawn along {axis}.")
    x, values = signal[axis].values, signal.transpose("channel", axis).values.astype(float)
    if axis == "frequency":
        values = 20 * np.log10(np.maximum(values, 1e-12))
    values = values - np.nanmedian(values, axis=1, keepdims=True)
    # One step for all channels keeps their amplitudes comparable.
    step = max(4 * float(np.nanmedian(np.nanstd(values, axis=1))), 1e-30)
    names = [str(name) for name in signal["channel"].values]
    ax = axes_or_new(ax, 6.4, 1.2 + 0.3 * len(names))
    for row, line in enumerate(values):
        ax.plot(x, line - row * step, color=COLORS["ink"], lw=0.7)
    _shade(ax, places, _SPANS[axis], (float(x[0]), float(x[-1])), (names, step), labels or {})
    ax.set_yticks(-step * np.arange(len(names)), [literal(name) for name in names])
    ax.set_ylim(-step * (len(names) - 0.3), step * 0.8)
    ax.set_xlim(x[0], x[-1])
    ax.set_xlabel(axis_label(signal, axis, "s" if axis == "time" else "Hz"))
    ax.tick_params(axis="y", length=0)
    if ax.get_legend_handles_labels()[1]:
        legend_above(ax)
    return ax


def code_usage(codes: ArrayLike, n_codes: int, ax: Axes | None = None) -> Axes:
    """Draw how often each code is used, the most frequent first.

    Parameters
    ----------
    codes : array-like of int
        Codes of any shape.
    n_codes : int
        Size of the codebook.
    ax : matplotlib.axes.Axes, optional
        Where to draw.

    Returns
    -------
    matplotlib.axes.Axes
        With even use as a line; the title says how many are used, and the perplexity, the
        number of equally frequent codes that would be as unpredictable.

    Raises
    ------
    DataError
        If there are no codes, or codes outside the codebook.

    Examples
    --------
    >>> code_usage([0, 0, 1, 1], 4).get_title()
    '2 of 4 codes used, perplexity 2'
    """
    words = np.asarray(codes).ravel()
    if not len(words) or words.dtype.kind not in "iu" or words.min() < 0 or words.max() >= n_codes:
        raise DataError(
            f"Expected codes as whole numbers from 0 to {n_codes - 1}; got {words.dtype} of "
            f"shape {np.shape(codes)}"
            + (f", {words.min()} to {words.max()}." if len(words) else ".")
        )
    share = np.sort(np.bincount(words, minlength=n_codes))[::-1] / len(words)
    used = share[share > 0]
    perplexity = float(np.exp(-(used * np.log(used)).sum()))
    ax = axes_or_new(ax, 4.8, 2.6)
    ax.bar(np.arange(n_codes), share, width=1.0, color=COLORS["accent"])
    ax.axhline(1 / n_codes, color=COLORS["muted"], ls=":", label="even use")
    ax.set_xlim(-0.5, n_codes - 0.5)
    ax.set_xlabel("code, by frequency")
    ax.set_ylabel("share of patches")
    ax.set_title(f"{len(used)} of {n_codes} codes used, perplexity {perplexity:.3g}")
    ax.legend(loc="upper right")
    return ax


def reconstruction(given: xr.DataArray, made: xr.DataArray, ax: Axes | None = None) -> Axes:
    """Draw what a model read, and over it what it makes of the code words.

    Parameters
    ----------
    given, made : DataArray, dims (frequency,) or (time,)
        Input and reconstruction, such as one channel of
        :func:`neurokit.models.eegformer.reconstruct`.
    ax : matplotlib.axes.Axes, optional
        Where to draw.

    Returns
    -------
    matplotlib.axes.Axes
        Spectra on a logarithmic scale.

    Raises
    ------
    DataError
        If the two are not one-dimensional over the same axis.

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> x = xr.DataArray(1 / np.arange(1.0, 9), {"frequency": np.arange(8)}, ["frequency"])
    >>> reconstruction(x, 2 * x).get_xlabel()
    'frequency (Hz)'
    """
    axis = given.dims[0] if given.dims == made.dims and given.shape == made.shape else None
    if given.ndim != 1 or axis not in _SPANS:
        raise DataError(
            "Expected input and reconstruction with dims ('frequency',) or ('time',) and one "
            f"length; got {given.dims} {given.shape} and {made.dims} {made.shape}."
        )
    ax = axes_or_new(ax, 4.8, 2.6)
    x = given[axis].values
    ax.plot(x, given.values, color=COLORS["muted"], lw=0.8, label="input")
    ax.plot(x, made.values, color=COLORS["warm"], label="from its codes")
    if axis == "frequency":
        ax.set_yscale("log")
    ax.set_xlabel(axis_label(given, axis, "s" if axis == "time" else "Hz"))
    ax.set_ylabel(value_label(given.rename("amplitude")))
    ax.margins(x=0)
    legend_above(ax)
    return ax


def code_prototypes(prototypes: xr.DataArray, ax: Axes | None = None) -> Axes:
    """Draw the spectrum that each code stands for.

    Parameters
    ----------
    prototypes : DataArray, dims (code, frequency)
        From :func:`neurokit.models.eegformer.prototypes`.
    ax : matplotlib.axes.Axes, optional
        Where to draw.

    Returns
    -------
    matplotlib.axes.Axes
        One line a code; amplitudes on a logarithmic scale, standardised ones on a linear.

    Raises
    ------
    DataError
        If the dimensions are others.

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> codes = {"code": [3, 8], "frequency": [0.0, 8.0, 16.0]}
    >>> len(code_prototypes(xr.DataArray(np.ones((2, 3)), codes, ["code", "frequency"])).lines)
    2
    """
    if prototypes.dims != ("code", "frequency"):
        raise DataError(
            f"Expected prototypes with dims ('code', 'frequency'); got {prototypes.dims}."
        )
    ax = axes_or_new(ax, 4.8, 2.8)
    for index, code in enumerate(prototypes["code"].values):
        line = prototypes.values[index]
        ax.plot(prototypes["frequency"].values, line, color=color(index), label=f"code {code}")
    if prototypes.attrs.get("units") != "SD":
        ax.set_yscale("log")
    ax.set_xlabel(axis_label(prototypes, "frequency", "Hz"))
    ax.set_ylabel(value_label(prototypes, "amplitude"))
    ax.margins(x=0)
    legend_above(ax)
    return ax


def _shade(
    ax: Axes,
    places: pd.DataFrame,
    span: tuple[str, str],
    limits: tuple[float, float],
    rows: tuple[list[str], float],
    labels: Mapping[int, str],
) -> None:
    """Shade each place behind its channel's line, one colour a pattern."""
    names, step = rows
    inside = (places[span[1]] > limits[0]) & (places[span[0]] < limits[1])
    shown = places[inside & places["channel"].isin(names)]
    for index, pattern in enumerate(np.unique(shown["pattern"]).tolist()):
        mine = shown[shown["pattern"] == pattern]
        ax.barh(
            -step * np.array([names.index(name) for name in mine["channel"]]),
            mine[span[1]] - mine[span[0]],
            step * 0.9,
            mine[span[0]],
            color=color(index),
            alpha=0.3,
            lw=0,
            label=literal(labels.get(pattern, f"pattern {pattern}")),
        )

"""The figures of the five answers, each drawn on one matplotlib Axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "confusion",
    "evoked_contrast",
    "left_out_scores",
    "network_matrix",
    "null_distribution",
    "prediction",
    "scalp_map",
    "tracked_and_decoded",
    "tuning",
    "windowed",
]


def tuning(ax: Axes, curves: np.ndarray) -> None:
    """Draw tuning curves over the circle, in the order of their peaks.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Where to draw.
    curves : numpy.ndarray of shape (direction, unit)
        Rates in Hz at evenly spaced directions.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> tuning(Figure().add_subplot(), np.ones((60, 2)))
    """
    degrees = (np.arange(len(curves)) + 0.5) * 360 / len(curves)
    for unit in curves.argmax(axis=0).argsort():
        ax.plot(degrees, curves[:, unit])
    ax.set(xlabel="head direction (°)", ylabel="rate (Hz)", xlim=(0, 360))
    ax.set_xticks(range(0, 361, 90))
    ax.set_ylim(bottom=0)


def tracked_and_decoded(
    ax: Axes, time: np.ndarray, tracked: np.ndarray, decoded: np.ndarray
) -> None:
    """Draw a direction and its decoding over time.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Where to draw.
    time : numpy.ndarray of shape (bin,)
        Seconds.
    tracked, decoded : numpy.ndarray of shape (bin,)
        Directions in radians.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> tracked_and_decoded(Figure().add_subplot(), np.arange(3), np.zeros(3), np.ones(3))
    """
    ax.plot(time, np.degrees(tracked), ".", color="0.6", label="tracked")
    ax.plot(time, np.degrees(decoded), ".", color="C3", markersize=3, label="decoded")
    ax.set(xlabel="time (s)", ylabel="head direction (°)", ylim=(0, 360))
    ax.set_yticks(range(0, 361, 90))
    ax.legend(loc="upper right")


def null_distribution(
    ax: Axes, value: float, nulls: dict[str, np.ndarray], label: str, chance: float | None = None
) -> None:
    """Draw a score beside the distributions that it must beat.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Where to draw.
    value : float
        The score.
    nulls : dict of str to numpy.ndarray
        Name of each null to its scores.
    label : str
        What is scored, with its unit.
    chance : float, optional
        Chance level.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> null_distribution(Figure().add_subplot(), 0.5, {"shuffled": np.zeros(9)}, "r")
    """
    for i, (name, scores) in enumerate(nulls.items()):
        ax.hist(scores, bins=30, color=f"C{i}", alpha=0.6, label=name)
    ax.axvline(value, color="C3", label=f"measured {value:.3g}")
    if chance is not None:
        ax.axvline(chance, color="k", linestyle=":", label=f"chance {chance:.3g}")
    ax.set(xlabel=label, ylabel="draws")
    ax.legend()


def network_matrix(ax: Axes, fc: np.ndarray, network: np.ndarray) -> None:
    """Draw correlations with the ROIs sorted by network.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Where to draw.
    fc : numpy.ndarray of shape (roi, roi)
        Correlations.
    network : numpy.ndarray of shape (roi,)
        Network of each ROI.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> network_matrix(Figure().add_subplot(), np.eye(3), np.array(["a", "b", "b"]))
    """
    order = np.argsort(network, kind="stable")
    image = ax.imshow(fc[np.ix_(order, order)], cmap="RdBu_r", vmin=-1, vmax=1)
    names, sizes = np.unique(network, return_counts=True)
    edges = np.cumsum(sizes)
    for edge in edges[:-1]:
        ax.axhline(edge - 0.5, color="k", linewidth=0.5)
        ax.axvline(edge - 0.5, color="k", linewidth=0.5)
    ax.set_yticks(edges - sizes / 2 - 0.5, names.tolist())
    ax.set_xticks([])
    ax.figure.colorbar(image, ax=ax, label="correlation")


def windowed(ax: Axes, time: np.ndarray, values: np.ndarray, whole: float, label: str) -> None:
    """Draw a score in sliding windows beside that of the whole run.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Where to draw.
    time : numpy.ndarray of shape (window,)
        Middle of each window, s.
    values : numpy.ndarray of shape (window,)
        Score of each window.
    whole : float
        Score of the run.
    label : str
        What is scored.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> windowed(Figure().add_subplot(), np.arange(3), np.ones(3), 1.0, "r")
    """
    ax.plot(time, values, "o-", markersize=3, label="windows")
    ax.axhline(whole, color="C3", label="whole run")
    ax.axhline(0, color="k", linestyle=":", label="chance")
    ax.set(xlabel="time (s)", ylabel=label)
    ax.legend()


def confusion(ax: Axes, shown: np.ndarray, named: np.ndarray) -> None:
    """Count how often each category was named when each was shown.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Where to draw.
    shown, named : numpy.ndarray of shape (trial,)
        True and predicted categories.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> confusion(Figure().add_subplot(), np.array(["a", "b"]), np.array(["a", "a"]))
    """
    categories = np.unique(shown)
    table = (shown[:, None] == categories).T.astype(float) @ (named[:, None] == categories)
    image = ax.imshow(table, cmap="Blues", vmin=0)
    ax.set_xticks(range(len(categories)), categories.tolist(), rotation=90)
    ax.set_yticks(range(len(categories)), categories.tolist())
    ax.set(xlabel="named", ylabel="shown")
    ax.figure.colorbar(image, ax=ax, label="blocks")


def left_out_scores(ax: Axes, scores: Sequence[float], rivals: dict[str, float]) -> None:
    """Draw the score of each fold beside chance and rival explanations.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Where to draw.
    scores : sequence of float
        Share correct of each fold.
    rivals : dict of str to float
        Name to score of what to beat.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> left_out_scores(Figure().add_subplot(), [0.9, 1.0], {"chance": 0.5})
    """
    ax.bar(np.arange(1, len(scores) + 1), scores, color="C0")
    for i, (name, score) in enumerate(rivals.items()):
        ax.axhline(score, color=f"C{i + 1}", linestyle="--", label=f"{name} {score:.3g}")
    ax.set(xlabel="run left out", ylabel="share named correctly", ylim=(0, 1.3))
    ax.legend(loc="upper center", ncols=2)


def prediction(
    ax: Axes, time: np.ndarray, measured: np.ndarray, predicted: np.ndarray, edges: Sequence[float]
) -> None:
    """Draw a signal and its prediction, scaled by the signal's range.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Where to draw.
    time : numpy.ndarray of shape (step,)
        Seconds.
    measured, predicted : numpy.ndarray of shape (step,)
        In one unit.
    edges : sequence of float
        Seconds at which a test block ends and the next begins.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> prediction(Figure().add_subplot(), np.arange(3), np.arange(3), np.arange(3), [1.0])
    """
    low, scale = measured.min(), np.ptp(measured)
    ax.plot(time, (measured - low) / scale, color="0.5", label="measured")
    ax.plot(time, (predicted - low) / scale, color="C3", label="predicted, left out")
    for edge in edges:
        ax.axvline(edge, color="k", linestyle=":", linewidth=0.8)
    ax.set(xlabel="time (s)", ylabel="share of the measured range")
    ax.legend()


def scalp_map(ax: Axes, volts: np.ndarray, places: np.ndarray) -> None:
    """Draw voltages on the scalp, seen from above.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Where to draw.
    volts : numpy.ndarray of shape (channel,)
        Volts.
    places : numpy.ndarray of shape (channel, 3)
        Positions in the head frame, m.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> places = 0.1 * np.array([[1, 0, 0.5], [-1, 0, 0.5], [0, 1, 0.5], [0, -1, 0.5], [0, 0, 1]])
    >>> scalp_map(Figure().add_subplot(), 1e-6 * np.arange(5), places)
    """
    import mne

    names = [str(i) for i in range(len(volts))]
    info = mne.create_info(names, 1.0, "eeg")
    montage = mne.channels.make_dig_montage(
        dict(zip(names, places, strict=True)), coord_frame="head"
    )
    # MNE marks montages by their reference electrode, which has no bearing on a map.
    info.set_montage(montage, verbose="ERROR")
    limit = np.abs(volts).max() * 1e6
    image, _ = mne.viz.plot_topomap(
        volts * 1e6, info, axes=ax, show=False, vlim=(-limit, limit), cmap="RdBu_r"
    )
    ax.figure.colorbar(image, ax=ax, label="µV")


def evoked_contrast(
    ax: Axes, time: np.ndarray, volts: np.ndarray, window: tuple[float, float]
) -> None:
    """Draw the difference of two averages in every channel, and its spread over the scalp.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Where to draw.
    time : numpy.ndarray of shape (time,)
        Seconds after the stimulus.
    volts : numpy.ndarray of shape (channel, time)
        Volts.
    window : tuple of float
        Seconds to shade.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> evoked_contrast(Figure().add_subplot(), np.arange(3), np.ones((2, 3)), (1.0, 2.0))
    """
    ax.plot(time * 1e3, volts.T * 1e6, color="0.6", linewidth=0.6)
    ax.plot(time * 1e3, volts.std(axis=0) * 1e6, color="C3", label="spread over channels")
    ax.axvline(0, color="k", linestyle=":")
    ax.axvspan(window[0] * 1e3, window[1] * 1e3, color="C0", alpha=0.2, label="window of the map")
    ax.set(xlabel="time after the stimulus (ms)", ylabel="difference (µV)")
    ax.legend()

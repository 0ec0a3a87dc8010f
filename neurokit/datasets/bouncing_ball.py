"""Generated films of a ball that bounces between walls and passes behind an occluder."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from neurokit import arguments
from neurokit.errors import DataError

__all__ = ["bouncing_balls"]

Array = NDArray[np.float64]

BALL, OCCLUDER = 255, 110  # grey values
SPEED = (0.025, 0.05)  # widths a frame
STEEPEST = np.deg2rad(60)


def bouncing_balls(
    n_trials: int,
    n_frames: int = 40,
    *,
    size: int = 32,
    radius: float = 2.5,
    occluder: tuple[float, float] | None = (0.5, 0.9),
    seed: int = 0,
) -> xr.Dataset:
    """Film balls that start in the left quarter and move to the right.

    Each trial draws a place, a speed and a direction; then the ball moves straight and is
    reflected by the four walls. While it is behind the occluder, frames do not tell where it
    is: only the past does. A small stand-in for the tasks of mental simulation, such as
    Mental-Pong (Rajalingham et al. 2022) and Physion (Bear et al. 2021).

    Parameters
    ----------
    n_trials : int
        Films.
    n_frames : int
        Frames a film.
    size : int
        Height and width of a frame in pixels.
    radius : float
        Of the ball, in pixels.
    occluder : (float, float), optional
        Left and right edge of a grey band, as parts of the width. Without one, the ball is
        always in sight.
    seed : int
        Trial ``i`` depends on nothing else, so more trials extend fewer.

    Returns
    -------
    Dataset
        ``frames`` (trial, time, row, column) uint8; ``state`` (trial, time, variable) with
        the ball's ``x`` and ``y`` in pixels from the top left corner and ``vx`` and ``vy`` in
        pixels a frame; ``visible`` (trial, time), the part of the ball that is not hidden, and
        ``occluded`` (trial, time), whether all of it is.

    Raises
    ------
    DataError
        A ball that fits neither the frame nor the occluder, or edges in no order.

    Examples
    --------
    >>> films = bouncing_balls(3, 20)
    >>> films.frames.shape, films.frames.dtype
    ((3, 20, 32, 32), dtype('uint8'))
    >>> bool(films.occluded.any())
    True
    """
    n, time = arguments.whole("n_trials", n_trials, 1), arguments.whole("n_frames", n_frames, 2)
    side, r = arguments.whole("size", size, 8), arguments.positive("radius (pixels)", radius)
    arguments.whole("seed", seed, 0)
    if r > side / 4:
        raise DataError(f"A ball of radius {r:g} is too large for frames of {side}: 1/4 at most.")
    band = None if occluder is None else _edges(occluder, side, r)
    state = _motion(n, time, side, r, seed)
    frames, visible = _draw(state.astype(np.float32), side, r, band)
    return xr.Dataset(
        {
            "frames": (("trial", "time", "row", "column"), frames),
            "state": (("trial", "time", "variable"), state.astype(np.float32)),
            "visible": (("trial", "time"), visible),
            "occluded": (("trial", "time"), visible == 0),
        },
        coords={"variable": ["x", "y", "vx", "vy"]},
        attrs={
            **{"size": side, "radius": r, "seed": seed},
            **({} if band is None else {"occluder": list(band)}),
        },
    )


def _edges(occluder: tuple[float, float], size: int, radius: float) -> tuple[int, int]:
    """Return the occluder's first column and the one after its last."""
    left, right = (round(arguments.number("occluder", edge) * size) for edge in occluder)
    if not 0 <= left < right <= size or right - left < 2 * radius:
        raise DataError(
            f"Expected the edges of an occluder between 0 and 1, in order, and wide enough for a "
            f"ball {2 * radius:g} pixels wide; got {occluder} of {size} pixels."
        )
    return left, right


def _motion(n: int, time: int, size: int, radius: float, seed: int) -> Array:
    """Move every ball: straight, and folded back where that would leave the box."""
    draws = np.random.default_rng(seed).random((n, 4))
    room = size - 2 * radius
    start = np.stack([draws[:, 0] / 4, draws[:, 1]], axis=1) * room
    speed = size * (SPEED[0] + (SPEED[1] - SPEED[0]) * draws[:, 2])
    angle = (2 * draws[:, 3] - 1) * STEEPEST
    velocity = speed[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    path = start[:, None] + velocity[:, None] * np.arange(time)[:, None]
    folded = path % (2 * room)
    away = folded < room
    place = np.where(away, folded, 2 * room - folded) + radius
    return np.concatenate([place, np.where(away, 1, -1) * velocity[:, None]], axis=-1)


def _draw(
    state: NDArray[np.float32], size: int, radius: float, band: tuple[int, int] | None
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Draw soft-edged balls, then the occluder before them."""
    centre = np.arange(size, dtype=np.float32) + np.float32(0.5)
    x = (centre - state[..., 0, None])[..., None, :]
    y = (centre - state[..., 1, None])[..., :, None]
    # The edge is one pixel wide, so that places between pixels differ.
    light = np.clip(np.float32(radius + 0.5) - np.sqrt(x**2 + y**2), 0, 1)
    frames = np.round(BALL * light).astype(np.uint8)
    if band is None:
        return frames, np.ones(state.shape[:2], dtype=np.float32)
    columns = frames.sum(axis=2, dtype=np.float32)
    hidden = columns[..., slice(*band)].sum(axis=-1) / columns.sum(axis=-1)
    frames[..., slice(*band)] = OCCLUDER
    return frames, 1 - hidden

"""What the code words of an EEGFormer stand for: their spectra, and windows made of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from neurokit import arguments
from neurokit.devices import lent
from neurokit.models.eegformer.network import EEGFormer
from neurokit.models.eegformer.reading import read_windows, real_patches
from neurokit.models.eegformer.spectrum import FLOOR
from neurokit.models.nn import unpatch

__all__ = ["prototypes", "reconstruct"]


def prototypes(
    model: EEGFormer, win: Any, codes: ArrayLike, *, batch_size: int = 64
) -> xr.DataArray:
    """Average the spectra that each code stands for.

    Parameters
    ----------
    model : EEGFormer
        Pretrained.
    win : Windows
        Whose patches are averaged.
    codes : array-like of int
        Which codes.
    batch_size : int
        Windows at a time.

    Returns
    -------
    DataArray, dims (code, frequency)
        With ``patch_domain="time"`` the mean (log) amplitude of the segments, in µV/√Hz. With
        ``"frequency"`` a code may stand at any band: the mean standardised spectrum over the
        distance in Hz from the band's lower end, in standard deviations. The coordinate
        ``count`` says how many patches have the code; NaN where none has.

    Examples
    --------
    >>> import neurokit as nk
    >>> x = 1e-5 * np.random.default_rng(0).normal(size=(6400, 1))
    >>> rec = nk.Recording.from_array(x, 128, stream="eeg", units="V")
    >>> model = nk.models.EEGFormer(nk.models.EEGFormerConfig.preset("tiny", patch_domain="time"))
    >>> found = prototypes(model, nk.windows.sliding(rec, stream="eeg", length=5), [3, 8])
    >>> found.shape, found.attrs["units"]
    ((2, 16), 'µV/√Hz')
    """
    wanted = np.atleast_1d(np.asarray(codes, dtype=np.int64))
    config = model.config
    total, count = np.zeros((len(wanted), config.n_values)), np.zeros(len(wanted))
    for words, patches in read_windows(model, win, batch_size):
        for row, code in enumerate(wanted):
            mine = words == code
            total[row] += patches[mine].sum(axis=0, dtype=np.float64)
            count[row] += mine.sum()
    mean = np.full_like(total, np.nan)
    np.divide(total, count[:, None], out=mean, where=count[:, None] > 0)
    time = config.patch_domain == "time"
    step = config.sampling_rate / (config.patch_length if time else config.n_samples)
    return xr.DataArray(
        _amplitude(model, mean) if time else mean,
        {
            "code": wanted,
            "frequency": ("frequency", (np.arange(config.n_values) + time) * step, {"units": "Hz"}),
            "count": ("code", count.astype(np.int64)),
        },
        ["code", "frequency"],
        "amplitude",
        {"units": "µV/√Hz" if time else "SD"},
    )


def reconstruct(model: EEGFormer, win: Any, window: int) -> xr.Dataset:
    """Set what the model read beside what it makes of the code words alone.

    Parameters
    ----------
    model : EEGFormer
        Pretrained.
    win : Windows
        Windows that fit it.
    window : int
        Which.

    Returns
    -------
    Dataset
        ``input`` and ``reconstruction``, amplitudes in µV/√Hz, dims (channel, frequency); with
        ``patch_domain="time"`` dims (channel, time, frequency), time being the middle of each
        segment on the recording's clock.

    Examples
    --------
    >>> import neurokit as nk
    >>> x = 1e-5 * np.random.default_rng(0).normal(size=(6400, 2))
    >>> rec = nk.Recording.from_array(x, 128, stream="eeg", units="V")
    >>> model = nk.models.EEGFormer(nk.models.EEGFormerConfig.preset("tiny"))
    >>> dict(reconstruct(model, nk.windows.sliding(rec, stream="eeg", length=5), 3).sizes)
    {'channel': 2, 'frequency': 320}
    """
    one = win.take([arguments.whole("window", window, 0)])
    model.check(one)
    config = model.config
    with torch.no_grad(), lent(model) as place:
        found = model({"x": one.batch([0])["x"].to(place)})
    both = torch.stack([found.target[0], found.estimate[0]]).float().cpu()
    time, n = config.patch_domain == "time", len(real_patches(model))
    values = both[:, :, :n] if time else unpatch(both, config.stride, config.n_bins)
    step = config.sampling_rate / (config.patch_length if time else config.n_samples)
    coords: dict[str, Any] = {
        "channel": list(win.names),
        "frequency": ("frequency", (np.arange(config.n_bins) + 1) * step, {"units": "Hz"}),
    }
    if time:
        middles = one.start[0] + real_patches(model).mean(axis=1)
        coords["time"] = ("time", middles, {"units": "s"})
    dims = ("channel", "time", "frequency") if time else ("channel", "frequency")
    amplitudes = _amplitude(model, values.numpy())
    unit = {"units": "µV/√Hz"}
    return xr.Dataset(
        {
            "input": (dims, amplitudes[0], unit),
            "reconstruction": (dims, amplitudes[1], unit),
        },
        coords,
    )


def _amplitude(model: EEGFormer, values: NDArray[np.floating]) -> NDArray[np.floating]:
    """Undo the standardisation of spectra, (..., frequency)."""
    cut = model.patches
    spread = cut.variance.clamp_min(1e-6).sqrt().cpu().numpy()
    bins = values * spread + cut.mean.cpu().numpy()
    return np.maximum(np.exp(bins) - FLOOR, 0) if model.config.log_amplitude else bins

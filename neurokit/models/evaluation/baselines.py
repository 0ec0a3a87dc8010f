"""What a representation must beat: simple features, and the same model untrained."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
import xarray as xr
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from neurokit import arguments
from neurokit.errors import DataError
from neurokit.models.evaluation.representations import labelled
from neurokit.models.nn.codebook import Codebook
from neurokit.models.nn.kmeans import cluster_centres, nearest
from neurokit.models.nn.pretrained import Pretrained
from neurokit.models.nn.quantizer import VectorQuantizer

__all__ = ["BANDS", "band_power", "patch_words", "random_weights", "raw_features"]

BANDS = {
    "delta": (1.0, 4.0),
    "theta": (4.0, 8.0),
    "alpha": (8.0, 13.0),
    "beta": (13.0, 30.0),
    "gamma": (30.0, 45.0),
}
VALUES_AT_ONCE = 2**23  # samples taken from windows at a time, 32 MB
PATCHES_CLUSTERED = 2**14
WINDOWS_SHOWN = 32  # a batch, for codes of random encoders to start from
SMALLEST = float(np.finfo(np.float32).tiny)


def band_power(
    win: Any, bands: Mapping[str, tuple[float, float]] = BANDS, *, segment: float = 2.0
) -> xr.DataArray:
    """Compute the logarithm of the power in each band and channel.

    Parameters
    ----------
    win : Windows
        Evenly sampled signals.
    bands : mapping of str to (low, high)
        Borders in Hz, the upper one excluded. Bands in which no frequency lies, or that begin
        above the Nyquist frequency, are left out.
    segment : float
        Seconds of the Hann-windowed, half-overlapping segments whose spectra are averaged
        (Welch 1967, IEEE Trans. Audio 15:70); the window's length where that is shorter.

    Returns
    -------
    DataArray
        Dims (window, feature); ``channel`` and ``band`` on ``feature``. Natural logarithm of
        the mean power density, in units²/Hz.

    Raises
    ------
    DataError
        If no band is left.

    Examples
    --------
    >>> from neurokit.recording import Recording
    >>> from neurokit.windows import sliding
    >>> t = np.arange(2000)[:, None] / 100
    >>> rec = Recording.from_array(np.sin(2 * np.pi * 10 * t), 100, units="uV")
    >>> z = band_power(sliding(rec, stream="eeg", length=4))
    >>> z.shape, str(z["band"].values[z.values[0].argmax()])
    ((5, 5), 'alpha')
    """
    rate, n = win.sampling_rate, win.n_samples
    size = min(max(round(arguments.positive("segment (s)", segment) * rate), 2), n)
    frequency = np.fft.rfftfreq(size, 1 / rate)
    members = np.array([(frequency >= low) & (frequency < high) for low, high in bands.values()])
    kept = [name for name, m in zip(bands, members, strict=True) if m.any()]
    if not kept:
        raise DataError(
            f"No band has a frequency: {size} samples at {rate:g} Hz resolve {rate / size:g} Hz up "
            f"to {rate / 2:g} Hz. Take longer windows, or other bands."
        )
    weight = members[members.any(axis=1)].astype(np.float32)
    mean = torch.from_numpy(weight / weight.sum(axis=1, keepdims=True))

    def powers(x: Tensor) -> Tensor:
        return (_density(x, size, rate) @ mean.T).clamp(min=SMALLEST).log().flatten(1)

    z = labelled(_by_block(win, powers), win, "band power")
    channel, band = np.repeat(win.names, len(kept)), np.tile(kept, len(win.names))
    return z.assign_coords(channel=("feature", channel), band=("feature", band))


def raw_features(win: Any, n_points: int = 40) -> xr.DataArray:
    """Average each channel in equal stretches of time: what a model without features sees.

    Parameters
    ----------
    win : Windows
        Signals.
    n_points : int
        Stretches a window; as many as it has samples if it has fewer.

    Returns
    -------
    DataArray
        Dims (window, feature); ``channel`` on ``feature``.

    Examples
    --------
    >>> from neurokit.recording import Recording
    >>> from neurokit.windows import sliding
    >>> rec = Recording.from_array([[1.0], [3.0], [5.0], [7.0]], 1, stream="bold")
    >>> raw_features(sliding(rec, stream="bold", length=4), n_points=2).values
    array([[2., 6.]], dtype=float32)
    """
    points = min(arguments.whole("n_points", n_points, least=1), win.n_samples)

    def averages(x: Tensor) -> Tensor:
        return F.adaptive_avg_pool1d(x, points).flatten(1)

    z = labelled(_by_block(win, averages), win, "raw features")
    return z.assign_coords(channel=("feature", np.repeat(win.names, points)))


def patch_words(
    win: Any, *, length: float = 1.0, n_codes: int = 256, seed: int = 0
) -> Callable[[ArrayLike], xr.DataArray]:
    """Count k-means words of spectra: a vocabulary without a network.

    Channels are cut into patches; the logarithm of a patch's amplitude spectrum, standardised
    for each frequency, is named after the nearest of ``n_codes`` centres. A window is the share
    of each word among its patches, of all channels.

    Parameters
    ----------
    win : Windows
        Signals.
    length : float
        Seconds a patch; the window's length where that is shorter.
    n_codes : int
        Words.
    seed : int
        Of the choice of patches and of k-means.

    Returns
    -------
    callable
        Takes the rows of the windows to learn from and gives the shares of all windows
        (window, feature), as :func:`linear_probe` asks for it.

    Examples
    --------
    >>> from neurokit.recording import Recording
    >>> from neurokit.windows import sliding
    >>> x = np.random.default_rng(0).normal(size=(400, 2))
    >>> win = sliding(Recording.from_array(x, 20, units="uV"), stream="eeg", length=4)
    >>> z = patch_words(win, n_codes=8)([0, 1, 2])
    >>> z.shape, float(z[0].sum())
    ((5, 8), 1.0)
    """
    wanted = arguments.positive("length (s)", length) * win.sampling_rate
    size = min(max(round(wanted), 2), win.n_samples)

    def spectra(x: Tensor) -> Tensor:
        cut = x.unfold(-1, size, size)
        amplitude = torch.fft.rfft(cut - cut.mean(-1, keepdim=True)).abs()[..., 1:]
        return amplitude.clamp(min=SMALLEST).log().flatten(1, 2)

    every = torch.from_numpy(_by_block(win, spectra))

    def shares(train: ArrayLike) -> xr.DataArray:
        seen = every[torch.as_tensor(np.asarray(train))].flatten(0, 1)
        mean, deviation = seen.mean(dim=0), seen.std(dim=0).clamp(min=1e-6)
        generator = torch.Generator().manual_seed(seed)
        some = torch.randperm(len(seen), generator=generator)[:PATCHES_CLUSTERED]
        centres = cluster_centres((seen[some] - mean) / deviation, n_codes, seed=seed)
        word = nearest((every.flatten(0, 1) - mean) / deviation, centres).view(len(every), -1)
        count = torch.zeros(len(every), len(centres)).scatter_add_(1, word, torch.ones(word.shape))
        return labelled((count / word.shape[1]).numpy(), win, "k-means words")

    return shares


def random_weights(model: Pretrained, seed: int = 0, win: Any = None) -> Pretrained:
    """Make the same model with weights that have seen nothing.

    Parameters
    ----------
    model : Pretrained
        Any family; left as it is.
    seed : int
        Of the weights, in place of that in the configuration; torch's own random state is left
        alone.
    win : Windows, optional
        Training windows. A quantiser's codes start from the vectors that the random encoder
        makes of some of them, by k-means, as training would start them. Without windows codes
        are random too, and most of them may be nearest to nothing.

    Returns
    -------
    Pretrained
        Of the same class and, but for the seed, configuration. Modules without weights keep
        what they know of the data (mean and spread of inputs), except for codebooks; and what
        a family keeps frozen is kept (the vocabulary of ``DuINMasked``).

    Raises
    ------
    DataError
        A module without one.

    Examples
    --------
    >>> from neurokit.models import FuturePredictor, FuturePredictorConfig
    >>> model = FuturePredictor(FuturePredictorConfig(n_latents=4, n_hidden=5))
    >>> random_weights(model).config == model.config
    True
    """
    arguments.instance("model", model, Pretrained, "a model with a configuration")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(arguments.whole("seed", seed, least=0))
        fresh = type(model)._from_config(_reseeded(model.config, seed))
    trained = dict(model.named_modules())
    for name, module in fresh.named_modules():
        weights = list(module.parameters())
        # What has no weights of its own, as the standardisation of inputs, is not at issue. Codes
        # that follow averages are no weights to torch, and yet are what training found.
        plain = not weights and not any(isinstance(m, Codebook) for m in module.modules())
        # What a family freezes by itself gives the task, such as the vocabulary to be guessed.
        given = bool(weights) and not any(weight.requires_grad for weight in weights)
        if name in trained and (plain or given):
            module.load_state_dict(trained[name].state_dict())
    fresh.eval()
    if win is not None:
        _start_codes(fresh, win, seed)
    return fresh


def _reseeded(config: Any, seed: int) -> Any:
    """Return a configuration with another seed, in whatever it holds, too."""
    changes: dict[str, Any] = {}
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if field.name == "seed":
            changes["seed"] = seed
        elif dataclasses.is_dataclass(value):
            changes[field.name] = _reseeded(value, seed)
        elif isinstance(value, dict) and "seed" in value:
            changes[field.name] = {**value, "seed": seed}
    return dataclasses.replace(config, **changes)


@torch.no_grad()
def _start_codes(model: Pretrained, win: Any, seed: int) -> None:
    """Show windows to quantisers in training mode, for as long as they gather vectors."""
    backbone: Any = getattr(model, "backbone", model)
    quantizers = [
        part
        for part in backbone.modules()
        if isinstance(part, VectorQuantizer) and not bool(part.store.steps)
    ]
    n = max((quantizer.store.kmeans_batches for quantizer in quantizers), default=0)
    generator = np.random.default_rng(seed)
    for quantizer in quantizers:
        quantizer.train()
    for _ in range(n):
        rows = generator.choice(len(win), min(len(win), WINDOWS_SHOWN), replace=False)
        backbone.loss(win.batch(np.sort(rows)))
    backbone.eval()


def _by_block(win: Any, function: Callable[[Tensor], Tensor]) -> NDArray[np.float32]:
    """Apply a function of (window, channel, time) to all windows, some at a time."""
    n = len(win)
    size = max(1, VALUES_AT_ONCE // (win.n_samples * len(win.names)))
    parts = [np.arange(first, min(first + size, n)) for first in range(0, n, size)]
    found = [function(win.batch(rows)["x"].float().transpose(1, 2)) for rows in parts]
    out: NDArray[np.float32] = torch.cat(found).numpy()
    return out


def _density(x: Tensor, size: int, rate: float) -> Tensor:
    """Estimate power densities (window, channel, frequency) by Welch's method."""
    taper = torch.hann_window(size)
    cut = x.unfold(-1, size, max(size - size // 2, 1))
    spectrum = torch.fft.rfft((cut - cut.mean(-1, keepdim=True)) * taper)
    density = spectrum.abs().square().mean(-2) / (rate * taper.square().sum())
    # Both signs of a frequency are counted where it has two.
    density[..., 1 : (size + 1) // 2] *= 2
    return density

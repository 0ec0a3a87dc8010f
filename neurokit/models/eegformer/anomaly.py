"""Windows that normal ones do not resemble, by their codes and by what those stand for."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy import sparse

from neurokit import arguments
from neurokit.errors import DataError
from neurokit.models.eegformer.likelihood import CodeLikelihood
from neurokit.models.eegformer.network import EEGFormer
from neurokit.models.eegformer.ngrams import check_channels
from neurokit.models.eegformer.reading import read_windows, window_coords

__all__ = ["AnomalyDetector"]


class AnomalyDetector:
    r"""Finds windows that normal ones do not resemble, and where in them.

    Each patch x of a window is scored by the likelihood of its code v in its context, and of
    the patch given its code,

    .. math:: -\log p(v \mid \text{context}) - \sum_d \log \mathcal{N}(x_d; m_{vd}, s^2_{vd}),

    so that a vocabulary of normal windows is used as a mixture of Gaussians whose weights
    depend on what comes before. The codes alone (``CodeLikelihood``) are not enough: the
    quantiser gives what it has never seen the nearest code that it knows, which may be common.

    Parameters
    ----------
    model : EEGFormer
        Pretrained; need not have seen the windows.
    per_channel : bool
        See :class:`~neurokit.models.eegformer.CodeLikelihood`.
    strength : float
        See :class:`~neurokit.models.eegformer.CodeLikelihood`; also how many patches of the
        common variance are added to those of each code.
    batch_size : int
        Windows at a time.

    Examples
    --------
    >>> import neurokit as nk
    >>> rng = np.random.default_rng(0)
    >>> x = 1e-5 * rng.normal(size=(640 * 40, 2))
    >>> x[640 * 30 + 200 : 640 * 30 + 300, 1] = 0  # an electrode loses contact in window 30
    >>> rec = nk.Recording.from_array(x, 128, channels=["C3", "C4"], stream="eeg", units="V")
    >>> win = nk.windows.sliding(rec, stream="eeg", length=5)
    >>> model = nk.models.EEGFormer(nk.models.EEGFormerConfig.preset("tiny", patch_domain="time"))
    >>> found = AnomalyDetector(model).fit(win.take(np.arange(25))).surprisal(win)
    >>> found.dims, str(found[30].max("patch").idxmax("channel").item())
    (('window', 'channel', 'patch'), 'C4')
    """

    def __init__(
        self,
        model: EEGFormer,
        *,
        per_channel: bool = True,
        strength: float = 10.0,
        batch_size: int = 64,
    ) -> None:
        self.model = arguments.instance("model", model, EEGFormer, "an EEGFormer")
        self.batch_size = arguments.whole("batch_size", batch_size, 1)
        self.codes = CodeLikelihood(
            model.config.n_codes,
            per_channel=per_channel,
            # A patch's place is a frequency band, or an arbitrary moment.
            positional=model.config.patch_domain == "frequency",
            strength=strength,
        )

    def fit(self, win: Any) -> Self:
        """Learn what is normal.

        Parameters
        ----------
        win : Windows
            Normal windows; none of them should be scored later.

        Returns
        -------
        AnomalyDetector
            Itself, with ``mean`` and ``variance``, each of shape (code, value).

        Examples
        --------
        >>> import neurokit as nk
        >>> x = 1e-5 * np.random.default_rng(0).normal(size=(6400, 1))
        >>> rec = nk.Recording.from_array(x, 128, stream="eeg", units="V")
        >>> model = nk.models.EEGFormer(nk.models.EEGFormerConfig.preset("tiny"))
        >>> win = nk.windows.sliding(rec, stream="eeg", length=5)
        >>> AnomalyDetector(model).fit(win).mean.shape
        (256, 32)
        """
        n = self.codes.n_codes
        words, count = [], np.zeros(n)
        total = np.zeros((2, n, self.model.config.n_values))
        for codes, patches in read_windows(self.model, win, self.batch_size):
            words.append(codes)
            values = patches.reshape(-1, patches.shape[-1]).astype(np.float64)
            # One sparse product sums the patches of each code.
            member = _members(codes.ravel(), n)
            total += np.stack([member @ values, member @ values**2])
            count += np.bincount(codes.ravel(), minlength=n)
        self.codes.fit(np.concatenate(words))
        self.channels = win.names
        self.mean, self.variance = _moments(count[:, None], total, self.codes.strength)
        return self

    def surprisal(self, win: Any) -> xr.DataArray:
        """Return how unexpected each patch is.

        Parameters
        ----------
        win : Windows
            What to search; channels as in :meth:`fit`.

        Returns
        -------
        DataArray, dims (window, channel, patch)
            Minus the log likelihood in nats; of a density, so that it can be below zero. The
            bounds of the patches, in seconds from the window's start or in Hz, are
            coordinates.

        Raises
        ------
        DataError
            Before :meth:`fit`, windows that do not fit the model, or channels in other places
            than in :meth:`fit` where each is told from the others.

        Examples
        --------
        >>> import neurokit as nk
        >>> x = 1e-5 * np.random.default_rng(0).normal(size=(6400, 1))
        >>> rec = nk.Recording.from_array(x, 128, stream="eeg", units="V")
        >>> model = nk.models.EEGFormer(nk.models.EEGFormerConfig.preset("tiny"))
        >>> win = nk.windows.sliding(rec, stream="eeg", length=5)
        >>> AnomalyDetector(model).fit(win).surprisal(win)["low"].values[:3]
        array([0.1, 3.3, 6.5])
        """
        if not hasattr(self, "variance"):
            raise DataError("The detector knows no normal windows yet. Call fit(win) first.")
        if self.codes.per_channel:
            check_channels(self.channels, win.names)
        parts = []
        for codes, patches in read_windows(self.model, win, self.batch_size):
            mean, variance = self.mean[codes], self.variance[codes]
            squares = (patches - mean) ** 2 / variance + np.log(2 * np.pi * variance)
            parts.append(self.codes.surprisal(codes) + squares.sum(axis=-1) / 2)
        coords = window_coords(self.model, win)
        dims = ("window", "channel", "patch")
        return xr.DataArray(np.concatenate(parts), coords, dims, "surprisal", {"units": "nat"})

    def score(self, win: Any) -> xr.DataArray:
        """Return how anomalous each window is: the surprisal of its oddest patch.

        Parameters
        ----------
        win : Windows
            Windows that :meth:`fit` did not see.

        Returns
        -------
        DataArray, dims (window,)
            In nats. A short or local artefact drowns in the mean, hence the maximum.

        Examples
        --------
        >>> import neurokit as nk
        >>> x = 1e-5 * np.random.default_rng(0).normal(size=(6400, 1))
        >>> x[5800:5900] *= 20
        >>> rec = nk.Recording.from_array(x, 128, stream="eeg", units="V")
        >>> model = nk.models.EEGFormer(nk.models.EEGFormerConfig.preset("tiny"))
        >>> win = nk.windows.sliding(rec, stream="eeg", length=5)
        >>> int(AnomalyDetector(model).fit(win.take(np.arange(8))).score(win).argmax("window"))
        9
        """
        return self.surprisal(win).max(("channel", "patch"), keep_attrs=True)


def _members(codes: NDArray[np.int64], n: int) -> sparse.csr_array:
    ones = np.ones(len(codes))
    return sparse.csr_array((ones, (codes, np.arange(len(codes)))), shape=(n, len(codes)))


def _moments(
    count: NDArray[np.float64], total: NDArray[np.float64], strength: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean and variance of each code's patches, those of rare codes drawn to all."""
    overall = total[0].sum(axis=0) / count.sum()
    mean = (total[0] + overall) / (count + 1)
    squares = total[1] - 2 * mean * total[0] + count * mean**2
    common = squares.sum(axis=0) / count.sum()
    return mean, (squares + strength * common) / (count + strength)

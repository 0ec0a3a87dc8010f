"""What an EEGFormer is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from neurokit import arguments
from neurokit.errors import DataError, UnknownNameError
from neurokit.models.nn.settings import preset_settings
from neurokit.recording.schema import voltage_factor
from neurokit.windows import JoinedWindows, Windows

__all__ = ["EEGFormerConfig"]

PRESETS: dict[str, dict[str, Any]] = {
    "small": {},
    "base": {"encoder_blocks": 8, "n_codes": 1024},
    "large": {"encoder_blocks": 12, "n_codes": 2048},
    "tiny": {
        **{"sampling_rate": 128.0, "window": 5.0, "patch_length": 32, "stride": 16},
        **{"width": 64, "n_heads": 4, "encoder_blocks": 2, "decoder_blocks": 1},
        # Codes must follow faster where training is a few hundred steps.
        **{"n_codes": 256, "ema": 0.95},
    },
}
COUNTS = ("patch_length", "stride", "width", "n_heads", "encoder_blocks", "decoder_blocks")


@dataclass(frozen=True)
class EEGFormerConfig:
    """Settings of :class:`~neurokit.models.EEGFormer`; the defaults are the paper's small model.

    What the paper does not tell is marked "not published"; those values are ours.

    Parameters
    ----------
    sampling_rate : float
        Of the windows, in Hz. Not published; most recordings of the corpora have 250 Hz.
    window : float
        Seconds a window. Paper: 12.
    units : str
        Of the windows that the model is given: ``"V"``, as in recordings, ``"mV"``, ``"uV"``
        or ``"nV"``. Inside, all is in microvolts.
    patch_domain : {"frequency", "time"}
        ``"frequency"``, the paper's: the spectrum of the whole window is cut into patches, so
        that a code word is a frequency band and has no time. ``"time"``: the window is cut
        into segments, and a patch is the spectrum of one.
    patch_length, stride : int
        Of the patches, in frequency bins or in samples. Not published; here patches of the
        paper's models are 4 Hz wide and overlap by half.
    taper : bool
        Whether a Hann window keeps large low frequencies from leaking into high ones. The paper
        tells of none.
    log_amplitude : bool
        Whether the spectrum's logarithm is modelled: amplitudes of EEG fall by a hundred from
        the lowest to the highest frequency, and the mean squared error would be that of the
        largest. Paper: the amplitude itself.
    width : int
        Features of a token, and dimensions of a code. Paper: 128.
    n_heads : int
        Attention heads. Not published.
    encoder_blocks, decoder_blocks : int
        Depths. Paper: 6, 8 and 12 in the small, base and large encoder; 3 in the decoder.
    n_codes : int
        Size of the codebook. Paper: 512, 1,024 and 2,048.
    ema : float, optional
        Decay of the running means that the codes follow; None trains them by gradient, as the
        paper does.
    commitment : float
        Weight β that keeps the encoder near its codes. Not published; 0.25 as in van den Oord
        et al. 2017 (arXiv 1711.00937).
    kmeans_batches : int
        Batches whose vectors the codes start from; 0 starts at random.
    revive_after : int, optional
        Batches after which a code that nothing chose is set anew; None lets it lie.
    mask_fraction : float
        Of patches that the encoder does not see while it is pretrained. Paper: 0.
    dropout : float
        In all blocks. Not published.
    seed : int
        Of the initial weights.

    Examples
    --------
    >>> config = EEGFormerConfig.preset("tiny", n_codes=128)
    >>> config.n_samples, config.n_bins, config.n_patches
    (640, 320, 20)
    """

    sampling_rate: float = 250.0
    window: float = 12.0
    units: str = "V"
    patch_domain: str = "frequency"
    patch_length: int = 48
    stride: int = 24
    taper: bool = True
    log_amplitude: bool = True
    width: int = 128
    n_heads: int = 8
    encoder_blocks: int = 6
    decoder_blocks: int = 3
    n_codes: int = 512
    ema: float | None = 0.99
    commitment: float = 0.25
    kmeans_batches: int = 8
    revive_after: int | None = 50
    mask_fraction: float = 0.0
    dropout: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        arguments.positive("sampling_rate (Hz)", self.sampling_rate)
        arguments.positive("window (s)", self.window)
        arguments.positive("commitment", self.commitment)
        arguments.known("patch_domain", self.patch_domain, ("frequency", "time"))
        for name in ("taper", "log_amplitude"):
            arguments.instance(name, getattr(self, name), bool, "True or False")
        for name in COUNTS:
            arguments.whole(name, getattr(self, name), least=1)
        for name in ("kmeans_batches", "seed"):
            arguments.whole(name, getattr(self, name), least=0)
        if self.revive_after is not None:
            arguments.whole("revive_after", self.revive_after, least=1)
        arguments.whole("n_codes", self.n_codes, least=2)
        for name in ("mask_fraction", "dropout", *(("ema",) if self.ema is not None else ())):
            if not 0 <= arguments.number(name, getattr(self, name)) < 1:
                raise DataError(f"{name} is {getattr(self, name)}, expected 0 or more, below 1.")
        if voltage_factor(arguments.text("units", self.units)) is None:
            raise UnknownNameError("unit", self.units, ("V", "mV", "uV", "nV"))
        self._check_sizes()

    def _check_sizes(self) -> None:
        if self.width % self.n_heads:
            raise DataError(f"width {self.width} does not divide into {self.n_heads} heads.")
        axis, unit = self.n_bins, "frequency bins"
        if self.patch_domain == "time":
            axis, unit = self.n_samples, "samples"
        if self.patch_length > axis or self.n_values < 1:
            raise DataError(
                f"A window of {self.window:g} s at {self.sampling_rate:g} Hz has {axis} {unit}, "
                f"and a patch {self.patch_length}. Shorten the patch, or take longer windows."
            )
        if self.stride > self.patch_length:
            raise DataError(
                f"stride is {self.stride}, above patch_length {self.patch_length}: what lies "
                "between two patches would be lost."
            )

    @classmethod
    def preset(cls, name: str, **changes: Any) -> Self:
        """Return one of the named settings.

        Parameters
        ----------
        name : {"small", "base", "large", "tiny"}
            The three of the paper, and one that trains on a CPU within minutes.
        **changes
            Settings that differ from it.

        Returns
        -------
        EEGFormerConfig
            The settings.

        Raises
        ------
        UnknownNameError
            An unknown preset or setting.

        Examples
        --------
        >>> EEGFormerConfig.preset("large").n_codes
        2048
        """
        return cls(**preset_settings(cls, PRESETS, name, changes))

    @classmethod
    def of(cls, win: Any, preset: str = "tiny", **changes: Any) -> Self:
        """Return settings that fit windows of EEG.

        Parameters
        ----------
        win : Windows
            Those of training. Length and unit are taken over. The sampling rate is not, since
            patches are counted in samples or bins: resample, or give ``sampling_rate`` and
            patches that suit it.
        preset : str
            For all else, see :meth:`preset`.
        **changes
            Settings that differ.

        Returns
        -------
        EEGFormerConfig
            The settings.

        Raises
        ------
        DataError
            Spikes, or windows of subjects with channels of their own.
        UnknownNameError
            An unknown preset or setting.

        Examples
        --------
        >>> import neurokit as nk
        >>> rec = nk.Recording.from_array(np.zeros((1280, 2)), 128, units="uV")
        >>> win = nk.windows.sliding(rec, stream="eeg", length=4.0)
        >>> config = EEGFormerConfig.of(win, width=32)
        >>> config.window, config.units, config.width
        (4.0, 'V', 32)
        """
        arguments.instance("win", win, Windows, "windows of a stream, see nk.windows.sliding")
        if isinstance(win, JoinedWindows):
            raise DataError(
                "An EEGFormer reads whatever channels there are, and would take the places that a "
                "smaller montage leaves empty for some. Pick the channels that all recordings "
                "have, and cut windows of these (in a recipe, without windows.by_subject)."
            )
        return cls.preset(preset, **{"window": win.length, "units": win.units, **changes})

    @property
    def n_samples(self) -> int:
        """Samples a window."""
        return round(self.window * self.sampling_rate)

    @property
    def n_bins(self) -> int:
        """Frequency bins of what is transformed, without zero: a window, or a segment of it."""
        time = self.patch_domain == "time"
        return (self.patch_length if time else self.n_samples) // 2

    @property
    def n_values(self) -> int:
        """Amplitudes a patch."""
        return self.n_bins if self.patch_domain == "time" else self.patch_length

    @property
    def n_patches(self) -> int:
        """Patches a channel, the padded one at the end among them."""
        axis = self.n_samples if self.patch_domain == "time" else self.n_bins
        return (axis - self.patch_length) // self.stride + 2

    @property
    def patch_bounds(self) -> np.ndarray:
        """Where each patch begins and ends, in Hz or in seconds, shape (patch, 2).

        Padding is cut off: a patch of nothing else has no extent.
        """
        first = np.arange(self.n_patches) * self.stride
        bounds = np.stack([first, first + self.patch_length], axis=1).astype(np.float64)
        if self.patch_domain == "time":
            return np.minimum(bounds, self.n_samples) / self.sampling_rate
        # The first bin is one step above zero, and each reaches half a step to both sides.
        step = self.sampling_rate / self.n_samples
        return (np.minimum(bounds, self.n_bins) + 0.5) * step

"""What a Du-IN is made of."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from neurokit import arguments
from neurokit.errors import DataError
from neurokit.models.nn.settings import preset_settings
from neurokit.windows import Windows

__all__ = ["DuINConfig"]

PRESETS: dict[str, dict[str, Any]] = {
    "paper": {},
    "poms": {"n_codes": 1024, "own_tokenizers": True},
    "tiny": {
        **{"channels": (1,), "sampling_rate": 1024.0},
        **{"spatial_width": 8, "filters": (64, 64, 8), "depth": 2, "n_heads": 4, "head_dim": 20},
        **{"hidden": 160, "dropout": 0.0, "n_codes": 64, "code_width": 16, "decoder_depth": 1},
        **{"decoder_filters": (64, 64, 64, 64, 8), "visible_fraction": 0.1},
    },
}
LIMITS = (
    *(("dropout", 0, 0.99), ("ema", 0, 0.9999), ("mask_fraction", 0.01, 0.99)),
    *(("visible_fraction", 0, 0.99), ("shift", 0, 0.5)),
)


@dataclass(frozen=True)
class DuINConfig:
    """Settings of Du-IN (Zheng et al., NeurIPS 2024, arXiv 2405.11459); defaults are the paper's.

    Parameters
    ----------
    channels : tuple of int
        Channels of each subject. Paper: ten bipolar channels a subject, one subject a model.
    names : tuple of tuple of str
        Their names, one tuple a subject, which windows must then have in this order. Empty:
        names are not checked.
    sampling_rate : float
        Of the recordings, in Hz. Paper: 1,000.
    patch : int
        Samples a token. Paper: 100 (100 ms).
    n_samples : int
        Samples of a window, which the classifier's head is made for unless it is told
        otherwise. Paper: 4,000 in pretraining, 3,000 a word. All else takes any number of
        whole patches.
    spatial_width : int
        Virtual channels that a subject's channels are mapped to. Paper: 16.
    filters, kernels, strides : tuple of int
        Of the tokenizer's convolutions. Paper: 128, 128, 16; 19, 3, 3; 10, 1, 1. A token has
        ``filters[-1] * patch / prod(strides)`` features; in the paper 160.
    depth : int
        Encoder blocks. Paper: 8.
    n_heads, head_dim : int
        Attention heads, and their dimensions. Paper: 8 of 64.
    hidden : int
        Width of the feed-forward layer. Paper: 320.
    dropout : float
        Of attention and of the feed-forward layer. Paper: 0.2.
    n_codes : int
        Codes of the quantiser. Paper: 2,048; 1,024 with several subjects.
    code_width : int
        Dimensions of a code. Paper: 64.
    commitment : float
        Weight of the commitment loss. Paper: 1.
    ema : float
        How slowly codes follow their tokens. Paper: 0.99.
    decoder_depth : int
        Decoder blocks. Paper: 4.
    decoder_filters, decoder_kernels, decoder_strides : tuple of int
        Of the transposed convolutions back to the waveform; the strides multiply to ``patch``.
        Paper: 128, 128, 128, 128, 16; 3, 3, 10, 9, 19; 1, 1, 10, 1, 10.
    mask_fraction : float
        Share of tokens that one of the two masks of stage 2 hides. Paper: 0.5.
    visible_fraction : float
        Share of those hidden tokens that are left visible in training and predicted all the
        same, as in BERT (Devlin et al. 2019, arXiv 1810.04805): the model then also knows what
        to make of windows of which nothing is hidden, such as those it is fine-tuned on.
        Paper: 0.
    shift : float
        Share of the window by which windows are shifted at random in training, either way.
        Paper: 0.1 for the classifier, which sets it, and 0 before.
    own_tokenizers : bool
        Whether each subject has convolutions and heads of its own, as in the paper's variant
        for several subjects ("poms"), or only its own map of channels. The transformer and the
        codes are always shared.
    seed : int
        Of the initial weights.

    Examples
    --------
    >>> config = DuINConfig.preset("paper", channels=(10, 8))
    >>> config.width, config.n_subjects, config.n_channels
    (160, 2, 10)
    """

    channels: tuple[int, ...] = (10,)
    names: tuple[tuple[str, ...], ...] = ()
    sampling_rate: float = 1000.0
    patch: int = 100
    n_samples: int = 4000
    spatial_width: int = 16
    filters: tuple[int, ...] = (128, 128, 16)
    kernels: tuple[int, ...] = (19, 3, 3)
    strides: tuple[int, ...] = (10, 1, 1)
    depth: int = 8
    n_heads: int = 8
    head_dim: int = 64
    hidden: int = 320
    dropout: float = 0.2
    n_codes: int = 2048
    code_width: int = 64
    commitment: float = 1.0
    ema: float = 0.99
    decoder_depth: int = 4
    decoder_filters: tuple[int, ...] = (128, 128, 128, 128, 16)
    decoder_kernels: tuple[int, ...] = (3, 3, 10, 9, 19)
    decoder_strides: tuple[int, ...] = (1, 1, 10, 1, 10)
    mask_fraction: float = 0.5
    visible_fraction: float = 0.0
    shift: float = 0.0
    own_tokenizers: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        self._settle_tuples()
        counts = "patch n_samples spatial_width depth n_heads head_dim hidden n_codes code_width"
        for name in (*counts.split(), "decoder_depth"):
            arguments.whole(name, getattr(self, name), least=1)
        arguments.whole("seed", self.seed, least=0)
        arguments.positive("sampling_rate (Hz)", self.sampling_rate)
        arguments.positive("commitment", self.commitment)
        for name, least, most in LIMITS:
            if not least <= arguments.number(name, getattr(self, name)) <= most:
                raise DataError(f"{name} is {getattr(self, name)}, expected {least} to {most}.")
        self._check_layers()
        self._check_names()

    @classmethod
    def preset(cls, name: str, **changes: Any) -> DuINConfig:
        """Return settings by name.

        Parameters
        ----------
        name : {"paper", "poms", "tiny"}
            The paper's model of one subject; its variant for several subjects, with
            tokenizers and heads of their own and 1,024 codes; or one with 0.3 M parameters that
            learns from one contact at 1,024 Hz within minutes on a CPU.
        **changes
            Settings that differ, ``channels`` above all.

        Returns
        -------
        DuINConfig
            The settings.

        Raises
        ------
        UnknownNameError
            An unknown preset or setting.

        Examples
        --------
        >>> DuINConfig.preset("tiny", n_codes=32).n_codes
        32
        """
        return cls(**preset_settings(cls, PRESETS, name, changes))

    @classmethod
    def of(cls, win: Any, preset: str = "tiny", **changes: Any) -> DuINConfig:
        """Return settings that fit windows of one or several montages.

        Parameters
        ----------
        win : Windows
            Those of training. Length and channels are taken over, with their names. The sampling
            rate is not, since tokens are counted in samples: resample, or give
            ``sampling_rate``.
        preset : str
            For all else, see :meth:`preset`.
        **changes
            Settings that differ.

        Returns
        -------
        DuINConfig
            The settings.

        Raises
        ------
        DataError
            Spikes, or windows that are not of whole tokens.
        UnknownNameError
            An unknown preset or setting.

        Examples
        --------
        >>> import numpy as np
        >>> import neurokit as nk
        >>> rec = nk.Recording.from_array(np.zeros((4000, 2)), 1000, ["A1", "A2"], "ieeg", "z")
        >>> win = nk.windows.sliding(rec, stream="ieeg", length=2.0)
        >>> config = DuINConfig.of(win, "paper", depth=4)
        >>> config.channels, config.names, config.n_samples
        ((2,), (('A1', 'A2'),), 2000)
        """
        arguments.instance("win", win, Windows, "windows of a stream, see nk.windows.sliding")
        channels = tuple(map(len, win.montages))
        found = {"channels": channels, "names": win.montages, "n_samples": win.n_samples}
        return cls.preset(preset, **{**found, **changes})

    @property
    def width(self) -> int:
        """Features of a token."""
        return self.filters[-1] * (self.patch // math.prod(self.strides))

    @property
    def n_subjects(self) -> int:
        """Subjects that the model knows."""
        return len(self.channels)

    @property
    def n_channels(self) -> int:
        """Channels of the largest montage, to which the others are padded."""
        return max(self.channels)

    def _settle_tuples(self) -> None:
        """Make tuples of lists, which is what a file of settings holds."""
        for name in ("filters", "kernels", "strides"):
            for prefix in ("", "decoder_"):
                self._settle_whole(prefix + name)
        self._settle_whole("channels")
        names = tuple(tuple(arguments.name_list("names", n)) for n in self.names)
        object.__setattr__(self, "names", names)

    def _settle_whole(self, name: str) -> None:
        given = getattr(self, name)
        values = tuple(given) if isinstance(given, list | tuple) else (given,)
        if not values:
            raise DataError(f"{name} is empty, expected at least one number.")
        whole = tuple(arguments.whole(name, value, least=1) for value in values)
        object.__setattr__(self, name, whole)

    def _check_layers(self) -> None:
        for prefix in ("", "decoder_"):
            filters, kernels, strides = (
                getattr(self, f"{prefix}{name}") for name in ("filters", "kernels", "strides")
            )
            if not len(filters) == len(kernels) == len(strides):
                raise DataError(
                    f"Expected a kernel and a stride for each of {prefix}filters; got "
                    f"{len(filters)} filters, {len(kernels)} kernels and {len(strides)} strides."
                )
            even = [k for k, s in zip(kernels, strides, strict=True) if s == 1 and not k % 2]
            if even or (not prefix and not all(k % 2 for k in kernels)):
                raise DataError(
                    f"{prefix}kernels are {kernels}, expected odd ones, which are centred"
                    f"{' (where the stride is 1)' if prefix else ''}."
                )
        if self.patch % math.prod(self.strides):
            raise DataError(f"The strides {self.strides} do not divide a patch of {self.patch}.")
        if self.n_samples % self.patch:
            raise DataError(
                f"n_samples is {self.n_samples}, expected whole patches of {self.patch} samples."
            )
        if math.prod(self.decoder_strides) != self.patch:
            raise DataError(
                f"The decoder_strides {self.decoder_strides} multiply to "
                f"{math.prod(self.decoder_strides)}, expected the patch of {self.patch} samples."
            )

    def _check_names(self) -> None:
        found = tuple(len(set(names)) for names in self.names)
        if self.names and found != self.channels:
            raise DataError(
                f"Expected names for {self.channels} channels, one tuple a subject and none "
                f"twice; got {found} names."
            )

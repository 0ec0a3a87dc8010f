"""What all three stages of Du-IN share: from windows to tokens in their context."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from neurokit.models.duin.augmentation import shift_windows
from neurokit.models.duin.batches import example_batch, subjects_of
from neurokit.models.duin.checks import check_windows
from neurokit.models.duin.config import DuINConfig
from neurokit.models.duin.spatial import SubjectLinear, by_subject, fill_padding
from neurokit.models.duin.tokenizer import PatchTokenizer
from neurokit.models.duin.transformer import TimedTransformer
from neurokit.models.nn import Classifier, Pretrained

__all__ = ["DuINEncoder"]

CLASSIFIER_SHIFT = 0.1  # of the window, either way


class DuINEncoder(Pretrained):
    """The neural encoder of Du-IN (Zheng et al. 2024, arXiv 2405.11459).

    Each subject's channels are mapped to virtual ones; convolutions turn each patch of them
    into a token; and a transformer with sinusoidal time codes, post-norm blocks and normalised
    queries and keys sets tokens in their context.

    Parameters
    ----------
    config : DuINConfig
        Settings.

    Examples
    --------
    >>> encoder = DuINEncoder(DuINConfig.preset("tiny"))
    >>> encoder.represent({"x": torch.zeros(2, 300, 1)}).shape
    torch.Size([2, 3, 80])
    """

    config_class = DuINConfig
    config: DuINConfig
    n_channels: Tensor

    def __init__(self, config: DuINConfig) -> None:
        super().__init__(config)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            self.spatial = SubjectLinear(config.n_subjects, config.n_channels, config.spatial_width)
            n_tokenizers = config.n_subjects if config.own_tokenizers else 1
            self.tokenizers = nn.ModuleList(PatchTokenizer(config) for _ in range(n_tokenizers))
            self.transformer = TimedTransformer(config, config.depth)
        self.register_buffer("n_channels", torch.tensor(config.channels), persistent=False)

    def tokens(self, batch: dict[str, Tensor]) -> Tensor:
        """Turn windows into tokens, each of which knows its own patch only.

        Parameters
        ----------
        batch : dict of Tensor
            ``x`` (window, time, channel) in z-scores, padded to the largest montage; with
            several subjects ``subject`` (window,).

        Returns
        -------
        Tensor, shape (window, token, feature)
            One token a patch.

        Raises
        ------
        DataError
            Windows of another shape, or several subjects without ``subject``.

        Examples
        --------
        >>> encoder = DuINEncoder(DuINConfig.preset("tiny"))
        >>> encoder.tokens({"x": torch.zeros(2, 300, 1)}).shape
        torch.Size([2, 3, 80])
        """
        subject = subjects_of(batch, self.config)
        x = batch["x"].to(self.spatial.weight.dtype)
        if self.training and self.config.shift:
            x = shift_windows(x, round(self.config.shift * x.shape[1]))
        x = x.transpose(1, 2)
        if len(set(self.config.channels)) > 1:
            x = fill_padding(x, subject, self.n_channels)
        if self.config.n_subjects == 1:
            return self.tokenizers[0](x, (self.spatial.weight[0], self.spatial.bias[0]))
        virtual = self.spatial(x, subject)
        if len(self.tokenizers) == 1:
            return self.tokenizers[0](virtual)
        return by_subject(self.tokenizers, virtual, subject)

    def contextualize(self, tokens: Tensor) -> Tensor:
        """Let tokens, whose order gives their times, see each other.

        Parameters
        ----------
        tokens : Tensor, shape (window, token, feature)
            From :meth:`tokens`, or with some of them masked.

        Returns
        -------
        Tensor, shape (window, token, feature)
            In context.

        Examples
        --------
        >>> encoder = DuINEncoder(DuINConfig.preset("tiny"))
        >>> encoder.contextualize(torch.zeros(2, 3, 80)).shape
        torch.Size([2, 3, 80])
        """
        return self.transformer(tokens)

    def forward(self, batch: dict[str, Tensor]) -> Tensor:
        """Turn windows into tokens in their context.

        Parameters
        ----------
        batch : dict of Tensor
            As in :meth:`tokens`.

        Returns
        -------
        Tensor, shape (window, token, feature)
            In context.

        Examples
        --------
        >>> encoder = DuINEncoder(DuINConfig.preset("tiny"))
        >>> encoder(encoder.example()).shape
        torch.Size([2, 40, 80])
        """
        return self.contextualize(self.tokens(batch))

    def represent(self, batch: dict[str, Tensor]) -> Tensor:
        """Return what the model makes of windows.

        Parameters
        ----------
        batch : dict of Tensor
            As in :meth:`tokens`.

        Returns
        -------
        Tensor, shape (window, token, feature)
            Tokens in their context.

        Examples
        --------
        >>> encoder = DuINEncoder(DuINConfig.preset("tiny"))
        >>> batch = encoder.example()
        >>> encoder.represent(batch).equal(encoder(batch))
        True
        """
        return self(batch)

    def classifier(
        self, classes: Sequence[str] | int, *, n_samples: int | None = None, **head: Any
    ) -> Classifier:
        """Make a classifier of windows, stage 3, on a copy of the encoder.

        All tokens side by side, a layer of 128 rectified units, and a logit a class. In
        training windows are shifted by up to a tenth of their length.

        Parameters
        ----------
        classes : sequence of str, or int
            Names of the classes, in the order of the labels; or how many there are.
        n_samples : int, optional
            Samples a window, a whole number of patches; by default those of the config.
        **head
            Further options of :class:`~neurokit.models.nn.Classifier`: ``hidden``, ``dropout``,
            ``sigmoid=True`` for scores that pass a sigmoid as in the authors' code, ``seed``.

        Returns
        -------
        Classifier
            To be trained on windows with labels; the encoder itself stays as it is.

        Examples
        --------
        >>> encoder = DuINEncoder(DuINConfig.preset("tiny"))
        >>> model = encoder.classifier(["rest", "plan", "execute"], n_samples=1000)
        >>> model({"x": torch.zeros(5, 1000, 1)}).shape
        torch.Size([5, 3])
        """
        backbone = copy.deepcopy(self).requires_grad_(True)
        backbone.config = dataclasses.replace(
            self.config, shift=CLASSIFIER_SHIFT, n_samples=n_samples or self.config.n_samples
        )
        return Classifier(backbone, classes, **{"pool": "flatten", "hidden": 128, **head})

    def check(self, win: Any) -> None:
        """Raise one clear error if windows do not fit the model.

        Parameters
        ----------
        win : Windows
            What the model is to be trained on or applied to.

        Raises
        ------
        DataError
            Another unit than z-scores, rate, number of channels or length; a channel without a
            value; amplitudes that no z-scores have.
        UnknownNameError
            A channel that the model does not know.

        Examples
        --------
        >>> import neurokit as nk
        >>> rec = nk.Recording.from_array([[0.5]] * 400, 1000, stream="ieeg", units="z")
        >>> win = nk.windows.sliding(rec, stream="ieeg", length=0.2)
        >>> DuINEncoder(DuINConfig.preset("tiny")).check(win)
        Traceback (most recent call last):
        neurokit.errors.DataError: The windows have 1000 Hz, the model 1024 Hz. ...
        """
        check_windows(self.config, win)

    def example(self) -> dict[str, Tensor]:
        """Return a small batch that is always the same.

        Returns
        -------
        dict of Tensor
            ``x`` and ``subject``.

        Examples
        --------
        >>> encoder = DuINEncoder(DuINConfig.preset("tiny"))
        >>> encoder.example()["subject"]
        tensor([0, 0])
        """
        return example_batch(self.config)

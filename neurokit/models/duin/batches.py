"""What a batch of windows must be, and one that is always the same."""

from __future__ import annotations

import torch
from torch import Tensor

from neurokit.errors import DataError
from neurokit.models.duin.config import DuINConfig

__all__ = ["example_batch", "subjects_of"]


def subjects_of(batch: dict[str, Tensor], config: DuINConfig) -> Tensor:
    """Return which subject each window of a batch is of, and check the batch's shape.

    Parameters
    ----------
    batch : dict of Tensor
        ``x`` (window, time, channel); with several subjects ``subject`` (window,).
    config : DuINConfig
        Settings.

    Returns
    -------
    Tensor of int, shape (window,)
        From 0.

    Raises
    ------
    DataError
        Windows of another shape, several subjects without ``subject``, or one that the model
        does not know.

    Examples
    --------
    >>> subjects_of({"x": torch.zeros(2, 100, 10)}, DuINConfig())
    tensor([0, 0])
    """
    x = batch["x"]
    fits = x.ndim == 3 and x.shape[2] == config.n_channels
    if not fits or x.shape[1] < config.patch or x.shape[1] % config.patch:
        raise DataError(
            f"Expected x of shape (window, time, {config.n_channels}) with whole patches of "
            f"{config.patch} samples; got {tuple(x.shape)}."
        )
    if "subject" in batch:
        return _known(batch["subject"], config)
    if config.n_subjects > 1:
        raise DataError(
            f"The model knows {config.n_subjects} subjects, but the batch does not say of which "
            "one each window is. Add 'subject', as nk.windows.join_montages does."
        )
    return torch.zeros(x.shape[0], dtype=torch.long, device=x.device)


def _known(subject: Tensor, config: DuINConfig) -> Tensor:
    # Elsewhere the host would wait for the device, which checks indices itself.
    if subject.device.type == "cpu" and not torch.compiler.is_compiling() and len(subject):
        low, high = int(subject.min()), int(subject.max())
        if low < 0 or high >= config.n_subjects:
            raise DataError(
                f"The windows are of subjects {low} to {high}, the model knows 0 to "
                f"{config.n_subjects - 1}. Give it the channels of each subject."
            )
    return subject


def example_batch(config: DuINConfig) -> dict[str, Tensor]:
    """Make a small batch that is always the same: two windows of sinusoids for each subject.

    Parameters
    ----------
    config : DuINConfig
        Settings.

    Returns
    -------
    dict of Tensor
        ``x`` (window, time, channel) of ``n_samples`` samples and ``subject``.

    Examples
    --------
    >>> example_batch(DuINConfig(channels=(3, 2)))["subject"]
    tensor([0, 0, 1, 1])
    """
    subject = torch.arange(config.n_subjects).repeat_interleave(2)
    n = len(subject)
    cycles = torch.arange(1, n * config.n_channels + 1).view(n, 1, config.n_channels)
    phase = torch.arange(config.n_samples)[None, :, None] / (4 * config.patch)
    return {"x": torch.sin(2 * torch.pi * cycles * phase), "subject": subject}

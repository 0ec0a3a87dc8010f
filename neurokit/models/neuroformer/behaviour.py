"""Behaviour read from spikes: values, or bins of them."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from neurokit.errors import DataError
from neurokit.models.neuroformer.config import NeuroformerConfig
from neurokit.models.neuroformer.labels import classes_of

__all__ = ["TargetHead"]


class TargetHead(nn.Module):
    """A linear map of the mean over tokens to each target.

    Regression minimises the squared error in standard deviations, ``target_spread``, so that it
    does not depend on the unit; classification the cross-entropy of the bins that
    ``target_range`` is cut into. Windows without a label, NaN, count for nothing.

    Parameters
    ----------
    config : NeuroformerConfig
        With targets.

    Examples
    --------
    >>> head = TargetHead(NeuroformerConfig(targets=("speed",), target_classes=4, width=32))
    >>> head(torch.zeros(2, 32)).shape, head.read(torch.zeros(2, 32)).shape
    (torch.Size([2, 1, 4]), torch.Size([2, 1]))
    """

    scale: Tensor
    limits: Tensor

    def __init__(self, config: NeuroformerConfig) -> None:
        super().__init__()
        self.n_classes = config.target_classes
        n = len(config.targets)
        self.linear = nn.Linear(config.width, n * max(1, self.n_classes))
        scales, limits = torch.tensor(config.target_scales), torch.tensor(config.target_ranges)
        for name, values in (("scale", scales.T), ("limits", limits.T)):
            self.register_buffer(name, values.contiguous(), persistent=False)

    def forward(self, pooled: Tensor) -> Tensor:
        """Compute values in standard deviations from the mean, or logits of bins.

        Parameters
        ----------
        pooled : Tensor, shape (window, width)
            Means over tokens.

        Returns
        -------
        Tensor, shape (window, target) or (window, target, class)
            Estimates.
        """
        out = self.linear(pooled)
        return out.unflatten(-1, (-1, self.n_classes)) if self.n_classes else out

    def read(self, pooled: Tensor) -> Tensor:
        """Compute values in the targets' own unit.

        Parameters
        ----------
        pooled : Tensor, shape (window, width)
            Means over tokens.

        Returns
        -------
        Tensor, shape (window, target)
            With classes the middles of bins, weighted by their probabilities.
        """
        if self.n_classes:
            share = self.probability(pooled)
            return (share * self.centres(share)).sum(dim=-1)
        mean, spread = self.scale
        return self(pooled) * spread + mean

    def probability(self, pooled: Tensor) -> Tensor:
        """Compute how probable each bin is.

        Parameters
        ----------
        pooled : Tensor, shape (window, width)
            Means over tokens.

        Returns
        -------
        Tensor, shape (window, target, class)
            They sum to 1 over classes.

        Raises
        ------
        DataError
            A head that regresses.

        Examples
        --------
        >>> head = TargetHead(NeuroformerConfig(targets=("choice",), target_classes=2, width=32))
        >>> total = head.probability(torch.zeros(3, 32)).detach().sum(dim=-1).flatten()
        >>> total.round(decimals=4)
        tensor([1., 1., 1.])
        """
        if not self.n_classes:
            raise DataError("This Neuroformer regresses its targets: it has no target_classes.")
        return self(pooled).softmax(dim=-1)

    def loss(self, pooled: Tensor, target: Tensor | None) -> Tensor:
        """Compare with the labels that there are.

        Parameters
        ----------
        pooled : Tensor, shape (window, width)
            Means over tokens.
        target : Tensor, shape (window, target)
            Values; NaN where there is none.

        Returns
        -------
        Tensor, shape ()
            Mean squared error in standard deviations, or cross-entropy in nats; zero without
            any label.

        Raises
        ------
        DataError
            Windows that were cut without targets.
        """
        if target is None:
            raise DataError(
                "This Neuroformer learns targets, but the windows have none. Cut them with targets."
            )
        there, estimate = ~target.isnan(), self(pooled).float()
        if self.n_classes:
            bins = classes_of(target, self.limits, self.n_classes)
            error = F.cross_entropy(estimate.movedim(-1, 1), bins, reduction="none")
        else:
            mean, spread = self.scale
            error = (estimate - ((target - mean) / spread).nan_to_num()).square()
        return torch.where(there, error, 0.0).sum() / there.sum().clamp(min=1)

    def centres(self, like: Tensor) -> Tensor:
        """Return the middle of each bin.

        Parameters
        ----------
        like : Tensor
            Of the type and on the device that is wanted.

        Returns
        -------
        Tensor, shape (target, class)
            In the unit of the targets.
        """
        low, high = self.limits[..., None].to(like)
        middle = torch.arange(self.n_classes, dtype=like.dtype, device=like.device) + 0.5
        return low + middle * ((high - low) / self.n_classes)

"""Spikes, stimulus and behaviour of one moment brought together in a joint space."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from neurokit.models.neuroformer.config import NeuroformerConfig

__all__ = ["JointSpace", "info_nce"]


def info_nce(first: Tensor, second: Tensor, temperature: float) -> Tensor:
    """Compute the symmetric contrastive loss of two views of the same windows.

    Parameters
    ----------
    first, second : Tensor, shape (window, feature)
        Of length 1; row i of both is the same window, and all other rows are negatives.
    temperature : float
        That cosines are divided by.

    Returns
    -------
    Tensor, shape ()
        Mean cross-entropy, in nats, of finding each window among all in the other view (Radford
        et al. 2021, arXiv 2103.00020, section 2.3): ln(window) at chance.

    Examples
    --------
    >>> info_nce(torch.eye(3), torch.eye(3), 0.01)
    tensor(0.)
    """
    scores = first @ second.transpose(0, 1) / temperature
    own = torch.arange(len(scores), device=scores.device)
    return (F.cross_entropy(scores, own) + F.cross_entropy(scores.transpose(0, 1), own)) / 2


class JointSpace(nn.Module):
    """One linear map for the spikes and one for each modality, of features before fusion.

    After fusion, spikes have already read the other modalities, and the task would be solved
    by copying.

    Parameters
    ----------
    config : NeuroformerConfig
        Settings.
    """

    def __init__(self, config: NeuroformerConfig) -> None:
        super().__init__()
        self.temperature = config.temperature
        names = ("spikes", *(m.name for m in config.modalities))
        self.maps = nn.ModuleList(nn.Linear(config.width, config.joint_width) for _ in names)
        self.names = names

    def forward(self, pooled: Mapping[str, Tensor]) -> Tensor:
        """Compare all pairs.

        Parameters
        ----------
        pooled : mapping of str to Tensor, shape (window, width)
            Means over tokens, of ``"spikes"`` and of each modality.

        Returns
        -------
        Tensor, shape ()
            Mean of :func:`info_nce` over pairs.
        """
        # The mean of projections is the projection of the mean, which is cheaper.
        views = [
            F.normalize(to_joint(pooled[name]).float(), dim=-1)
            for name, to_joint in zip(self.names, self.maps, strict=True)
        ]
        pairs = [info_nce(a, b, self.temperature) for a, b in combinations(views, 2)]
        return torch.stack(pairs).mean()

"""What differs between subjects: their maps of channels, padding, and layers of their own."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

__all__ = ["SubjectLinear", "by_subject", "fill_padding"]


class SubjectLinear(nn.Module):
    """A linear map of features for each subject, applied along the last dimension but one.

    y_{b,t} = W_{s(b)} x_{b,t} + c_{s(b)}, for the subject s(b) that a window is of.

    Parameters
    ----------
    n_subjects : int
        Subjects; with one, the map is the same for all windows.
    n_in, n_out : int
        Features before and after.

    Examples
    --------
    >>> layer = SubjectLinear(2, 10, 16)
    >>> layer(torch.zeros(3, 10, 400), torch.tensor([0, 1, 1])).shape
    torch.Size([3, 16, 400])
    """

    def __init__(self, n_subjects: int, n_in: int, n_out: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(n_subjects, n_out, n_in))
        self.bias = nn.Parameter(torch.empty(n_subjects, n_out))
        for parameter in (self.weight, self.bias):
            nn.init.uniform_(parameter, -1 / math.sqrt(n_in), 1 / math.sqrt(n_in))

    def forward(self, x: Tensor, subject: Tensor) -> Tensor:
        """Map each window by its subject's weights.

        Parameters
        ----------
        x : Tensor, shape (window, feature, time)
            Windows or tokens.
        subject : Tensor of int, shape (window,)
            Which subject each is of.

        Returns
        -------
        Tensor, shape (window, feature, time)
            The same windows in other features.
        """
        if self.weight.shape[0] == 1:
            # An expanded matrix costs nothing, a selected one a copy for each window.
            return torch.baddbmm(self.bias[..., None], self.weight.expand(x.shape[0], -1, -1), x)
        return torch.baddbmm(self.bias[subject][..., None], self.weight[subject], x)


def fill_padding(x: Tensor, subject: Tensor, n_channels: Tensor) -> Tensor:
    """Put zeros where a subject has no channel.

    Parameters
    ----------
    x : Tensor, shape (window, channel, time)
        Windows, padded to the largest montage; what stands in the padding is not looked at.
    subject : Tensor of int, shape (window,)
        Which subject each is of.
    n_channels : Tensor of int, shape (subject,)
        Channels that each subject has.

    Returns
    -------
    Tensor, shape (window, channel, time)
        Windows whose padding is zero.

    Examples
    --------
    >>> x = torch.ones(2, 3, 1)
    >>> fill_padding(x, torch.tensor([0, 1]), torch.tensor([3, 1]))[..., 0]
    tensor([[1., 1., 1.],
            [1., 0., 0.]])
    """
    missing = torch.arange(x.shape[1], device=x.device) >= n_channels[subject][:, None]
    return x.masked_fill(missing[..., None], 0.0)


def by_subject(layers: nn.ModuleList, x: Tensor, subject: Tensor) -> Tensor:
    """Pass each window through the layer of its subject.

    Parameters
    ----------
    layers : ModuleList
        One a subject.
    x : Tensor, shape (window, ...)
        Windows.
    subject : Tensor of int, shape (window,)
        Which subject each is of.

    Returns
    -------
    Tensor, shape (window, ...)
        In the order of the windows.

    Examples
    --------
    >>> layers = nn.ModuleList([nn.Identity(), nn.ReLU()])
    >>> by_subject(layers, torch.tensor([[-1.0], [-2.0], [-3.0]]), torch.tensor([0, 1, 0])).ravel()
    tensor([-1.,  0., -3.])
    """
    order = subject.argsort(stable=True)
    present, counts = subject.unique(return_counts=True)
    parts = x[order].split(counts.tolist())
    mapped = [layers[s](part) for s, part in zip(present.tolist(), parts, strict=True)]
    return torch.cat(mapped)[order.argsort()]

"""The transformer of Du-IN's encoder and decoder."""

from __future__ import annotations

from torch import Tensor, nn

from neurokit.models.duin.config import DuINConfig
from neurokit.models.nn import TransformerEncoder, sinusoidal

__all__ = ["TimedTransformer"]


class TimedTransformer(nn.Module):
    """A post-norm transformer that is told when each token was, by sines and cosines.

    Queries and keys are normalised, and nothing is dropped of what a block adds (Zheng et al. 2024,
    arXiv 2405.11459, and the authors' code).

    Parameters
    ----------
    config : DuINConfig
        Settings.
    depth : int
        Blocks.

    Examples
    --------
    >>> import torch
    >>> TimedTransformer(DuINConfig.preset("tiny"), depth=1)(torch.zeros(2, 5, 80)).shape
    torch.Size([2, 5, 80])
    """

    times: Tensor

    def __init__(self, config: DuINConfig, depth: int) -> None:
        super().__init__()
        times = sinusoidal(max(1, config.n_samples // config.patch), config.width)
        self.register_buffer("times", times, persistent=False)
        self.blocks = TransformerEncoder(
            depth,
            config.width,
            config.n_heads,
            config.hidden,
            head_dim=config.head_dim,
            dropout=config.dropout,
            norm="post",
            qk_norm=True,
            residual_dropout=0.0,
        )

    def forward(self, tokens: Tensor) -> Tensor:
        """Let tokens see each other.

        Parameters
        ----------
        tokens : Tensor, shape (window, token, feature)
            In the order of their times.

        Returns
        -------
        Tensor, shape (window, token, feature)
            In context.
        """
        n, width = tokens.shape[1:]
        if n > len(self.times):
            self.times = sinusoidal(n, width).to(self.times)
        # The codes of times stay in single precision whatever that of the weights is.
        timed = tokens + self.times[:n]
        return self.blocks(timed.to(next(self.blocks.parameters()).dtype))

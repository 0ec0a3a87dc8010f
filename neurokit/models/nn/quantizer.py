"""A layer that says which of a learned set of codes each vector is."""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from neurokit import arguments
from neurokit.errors import DataError
from neurokit.models.nn.codebook import TINY, Codebook
from neurokit.models.nn.kmeans import nearest, unit

__all__ = ["VectorQuantizer", "perplexity"]

RECENT = 100  # training batches within which a code counts as used


def perplexity(counts: Tensor) -> Tensor:
    """Say how many codes are in use, were all used alike.

    Parameters
    ----------
    counts : Tensor, shape (n_codes,)
        How often each code is used, in any unit.

    Returns
    -------
    Tensor, scalar
        The exponential of the entropy of the usage; 0 where nothing is counted.

    Examples
    --------
    >>> perplexity(torch.tensor([5, 5, 0])), perplexity(torch.zeros(3))
    (tensor(2.), tensor(0.))
    """
    counts = counts.float()
    total = counts.sum()
    entropy = torch.special.entr(counts / total.clamp(min=TINY)).sum()
    return torch.where(total > 0, entropy.exp(), 0.0)


class VectorQuantizer(nn.Module):
    r"""Replace each vector by the nearest of a learned set of codes.

    With vectors :math:`z`, their codes :math:`c` and :math:`\mathrm{sg}` for "no gradient", the
    loss is the mean over vectors and dimensions of

    .. math:: [\|\mathrm{sg}(z) - c\|^2] + \beta \, \|z - \mathrm{sg}(c)\|^2

    where the bracket is there for a codebook trained by gradient (``ema=None``; van den Oord et
    al. 2017, arXiv 1711.00937, equation 3). Otherwise codes follow the vectors that chose them.
    Of :math:`n > 0` vectors with mean :math:`m` in a batch, a code at Euclidean distance takes
    (ibid., appendix A.1)

    .. math:: N \leftarrow \gamma N + (1 - \gamma) n, \qquad
              c \leftarrow c + (1 - \gamma) \tfrac{n}{N} (m - c)

    and a code of length one (BEiT v2, arXiv 2208.06366; Du-IN, arXiv 2405.11459)

    .. math:: c \leftarrow u(\gamma c + (1 - \gamma) \, u(m)), \qquad u(x) = x / \|x\|.

    Codebooks collapse where nothing is done about it. Here the first ``kmeans_batches - 1``
    training batches pass through unquantised, with a loss of zero, while a sample of their
    vectors is kept; with the next batch, k-means sets the codes. Later, a code that no vector
    chose for ``revive_after`` training batches moves to a random vector of the present one. In
    evaluation mode nothing changes. All that a resumed run needs is in the state dict, and in a
    distributed run all processes keep the same codebook.

    Parameters
    ----------
    n_codes : int
        Size of the codebook.
    dim : int
        Of each code.
    metric : {"euclidean", "cosine"}
        What nearest means. With ``"cosine"``, vectors and codes have length one.
    ema : float, optional
        How much of a code stays at each batch, :math:`\gamma`; ``None`` trains codes by gradient.
    commitment : float
        :math:`\beta`, which holds the encoder to its codes.
    kmeans_batches : int
        Training batches that the k-means start is made of; 0 keeps the random codes.
    revive_after : int, optional
        Batches after which an unused code moves; ``None`` lets it lie.
    seed : int
        Of the codes, of k-means and of revival. The global random state is left alone.

    Attributes
    ----------
    store : Codebook
        The codes and what is known about their use.

    Raises
    ------
    DataError
        A size, rate or metric that makes no sense.

    Examples
    --------
    >>> quantizer = VectorQuantizer(8, 4, kmeans_batches=1)
    >>> z = torch.randn(2, 30, 4, generator=torch.Generator().manual_seed(0))
    >>> quantized, indices, loss = quantizer(z)
    >>> quantized.shape, indices.shape, bool(loss > 0)
    (torch.Size([2, 30, 4]), torch.Size([2, 30]), True)
    >>> quantizer.n_used
    8
    """

    def __init__(
        self,
        n_codes: int,
        dim: int,
        metric: Literal["euclidean", "cosine"] = "euclidean",
        ema: float | None = 0.99,
        *,
        commitment: float = 0.25,
        kmeans_batches: int = 8,
        revive_after: int | None = 50,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.n_codes = arguments.whole("n_codes", n_codes, least=1)
        self.dim = arguments.whole("dim", dim, least=1)
        self.cosine = arguments.known("metric", metric, ("euclidean", "cosine")) == "cosine"
        if ema is not None and not 0 <= arguments.number("ema", ema) < 1:
            raise DataError(f"ema is {ema}, expected None or a number from 0 to below 1.")
        if arguments.number("commitment", commitment) < 0:
            raise DataError(f"commitment is {commitment}, expected 0 or more.")
        arguments.whole("kmeans_batches", kmeans_batches, least=0)
        if revive_after is not None:
            arguments.whole("revive_after", revive_after, least=1)
        arguments.whole("seed", seed, least=0)
        self.commitment, self.learns_by_gradient = commitment, ema is None
        self.store = Codebook(
            self.n_codes, self.dim, self.cosine, ema, kmeans_batches, revive_after, seed
        )

    @property
    def codebook(self) -> Tensor:
        """The codes, shape (n_codes, dim); of length one where the metric is the cosine."""
        return self.store.codes

    @property
    def usage(self) -> Tensor:
        """Share of each code in recent training, shape (n_codes,); zeros before it began."""
        return self.store.counts / self.store.counts.sum().clamp(min=TINY)

    @property
    def perplexity(self) -> float:
        """Codes in recent training, were all used alike."""
        return float(perplexity(self.store.counts))

    @property
    def n_used(self) -> int:
        """Codes chosen at least once in the last 100 training batches."""
        return int(self.statistics()["used_codes"])

    @property
    def shortfall(self) -> str | None:
        """What training left undone, if it began: a codebook that has not started."""
        steps, needed = int(self.store.steps), self.store.kmeans_batches
        if not 0 < steps < needed:
            return None
        return (
            f"The codebook has not started: its k-means takes kmeans_batches={needed} training "
            f"batches, and there were {steps}. Its codes are random ones. Train for more epochs, "
            "by smaller batches, or set a smaller kmeans_batches."
        )

    @torch.no_grad()
    def statistics(self, indices: Tensor | None = None) -> dict[str, Tensor]:
        """Sum up how the codebook is used, for a training log.

        Parameters
        ----------
        indices : Tensor of int64, optional
            Codes to describe, held-out ones for example; without them, recent training.

        Returns
        -------
        dict of Tensor
            ``perplexity`` and ``used_codes``, scalars on the device of the codebook.

        Examples
        --------
        >>> VectorQuantizer(8, 4).statistics(torch.tensor([[0, 5], [5, 0]]))
        {'perplexity': tensor(2.), 'used_codes': tensor(2.)}
        """
        if indices is None:
            counts = self.store.counts
            used = (counts > 0) & (self.store.idle < RECENT)
        else:
            counts = torch.bincount(indices.flatten(), minlength=self.n_codes)
            used = counts > 0
        return {"perplexity": perplexity(counts), "used_codes": used.sum().float()}

    def lookup(self, indices: Tensor) -> Tensor:
        """Return the codes of indices.

        Parameters
        ----------
        indices : Tensor of int64, shape (...)
            From 0 to below ``n_codes``.

        Returns
        -------
        Tensor, shape (..., dim)
            The codes.

        Raises
        ------
        DataError
            Indices that are no integers or not in the codebook.

        Examples
        --------
        >>> VectorQuantizer(8, 4).lookup(torch.tensor([[0, 5, 7]])).shape
        torch.Size([1, 3, 4])
        """
        if indices.dtype not in (torch.int64, torch.int32):
            raise DataError(f"Expected indices of codes as int64; got {indices.dtype}.")
        if indices.numel() and not 0 <= indices.min() <= indices.max() < self.n_codes:
            raise DataError(
                f"Expected indices of {self.n_codes} codes, 0 to {self.n_codes - 1}; got "
                f"{int(indices.min())} to {int(indices.max())}."
            )
        return F.embedding(indices, self.codebook)

    def forward(self, z: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """Quantise vectors; in training, also let the codebook learn from them.

        Parameters
        ----------
        z : Tensor, shape (..., dim)
            Vectors.
        mask : Tensor of bool, shape (...), optional
            False where a vector is padding: it counts neither in the loss nor in the codebook.

        Returns
        -------
        quantized : Tensor, shape (..., dim)
            Codes, whose gradient goes to ``z`` (straight through); in the type of ``z``.
        indices : Tensor of int64, shape (...)
            Which codes.
        loss : Tensor, scalar
            To be added to the loss of the network.

        Raises
        ------
        DataError
            Vectors of another size, or a mask of another shape.

        Examples
        --------
        >>> quantizer = VectorQuantizer(8, 4, metric="cosine").eval()
        >>> quantized, indices, _ = quantizer(torch.eye(4))
        >>> bool((quantized == quantizer.lookup(indices)).all())
        True
        """
        self._check(z, mask)
        # Half precision would send a vector to the wrong one of two near codes.
        with torch.autocast(z.device.type, enabled=False):
            flat = z.reshape(-1, self.dim).float()
            flat = unit(flat) if self.cosine else flat
            valid = None if mask is None else mask.reshape(-1)
            started = self.store.prepare(flat.detach(), valid) if self.training else True
            codes = self.codebook
            indices = nearest(flat.detach(), codes.detach(), self.cosine)
            if started:
                chosen = F.embedding(indices, codes)
                loss = self._loss(flat, chosen, valid)
                # Adding a zero that has the gradient of z leaves codes exactly as they are.
                out = chosen.detach() + (flat - flat.detach())
            else:
                # Distributed training wants each parameter to have some gradient.
                out, loss = flat, 0.0 * codes.sum()
            if self.training and started:
                self.store.learn(flat.detach(), indices, valid)
        return out.to(z.dtype).reshape(z.shape), indices.reshape(z.shape[:-1]), loss

    def _loss(self, z: Tensor, codes: Tensor, valid: Tensor | None) -> Tensor:
        """Hold the encoder to its codes and, if trained by gradient, the codes to the encoder."""
        distance = self.commitment * (z - codes.detach()).square().mean(dim=1)
        if self.learns_by_gradient:
            distance = distance + (z.detach() - codes).square().mean(dim=1)
        if valid is not None:
            distance = torch.where(valid, distance, 0.0)
        n = len(distance) if valid is None else valid.sum()
        return distance.sum() / torch.as_tensor(n).clamp(min=1)

    def _check(self, z: Tensor, mask: Tensor | None) -> None:
        """Refuse what cannot be quantised."""
        if z.ndim < 1 or z.shape[-1] != self.dim or not z.is_floating_point():
            raise DataError(
                f"Expected vectors (..., {self.dim}), of the size of the codes; got shape "
                f"{tuple(z.shape)} ({z.dtype})."
            )
        if mask is not None and (mask.shape != z.shape[:-1] or mask.dtype != torch.bool):
            raise DataError(
                f"Expected a mask of bool, shape {tuple(z.shape[:-1])}, one value a vector; got "
                f"shape {tuple(mask.shape)} ({mask.dtype})."
            )

"""The codes of a quantiser: how they start, follow their vectors and come back to life."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from neurokit.collectives import from_first, gathered, n_processes, summed
from neurokit.models.nn.kmeans import cluster_centres, nearest, unit

__all__ = ["Codebook"]

PENDING_PER_CODE, PENDING_LEAST = 4, 1024  # vectors kept for the k-means start
USAGE_DECAY = 0.99  # of the usage statistics of codes that follow no averages
TINY = torch.finfo(torch.float32).tiny


class Codebook(nn.Module):
    """Codes, and what is known about their use; the rules are in :class:`VectorQuantizer`.

    Parameters
    ----------
    n_codes, dim : int
        Codes, and the size of each.
    cosine : bool
        Whether codes have length one.
    ema : float, optional
        How much of a code stays at each batch; ``None`` makes codes a parameter.
    kmeans_batches : int
        Training batches that the start is made of.
    revive_after : int, optional
        Batches after which an unused code moves.
    seed : int
        Of all that is random.

    Attributes
    ----------
    weight : Tensor, shape (n_codes, dim)
        The codes as they are stored.
    counts : Tensor, shape (n_codes,)
        Vectors of a batch that chose each code, a decaying average.
    idle : Tensor of int64, shape (n_codes,)
        Training batches since a code was last chosen.
    steps : Tensor of int64, scalar
        Training batches so far.
    pending : Tensor, shape (max(4 * n_codes, 1024), dim)
        Vectors kept for k-means, the first ``n_pending`` of them; zeros afterwards, so that
        a state has the same shapes at any time.

    Examples
    --------
    >>> Codebook(8, 4, True, 0.99, 1, None, 0).codes.norm(dim=1).round(decimals=5)
    tensor([1., 1., 1., 1., 1., 1., 1., 1.])
    """

    weight: Tensor
    counts: Tensor
    idle: Tensor
    steps: Tensor
    pending: Tensor
    n_pending: Tensor

    def __init__(
        self,
        n_codes: int,
        dim: int,
        cosine: bool,
        ema: float | None,
        kmeans_batches: int,
        revive_after: int | None,
        seed: int,
    ) -> None:
        super().__init__()
        self.n_codes, self.dim, self.cosine, self.ema = n_codes, dim, cosine, ema
        self.kmeans_batches, self.revive_after, self.seed = kmeans_batches, revive_after, seed
        codes = torch.randn(n_codes, dim, generator=self._generator(0))
        codes = unit(codes) if cosine else codes / dim**0.5
        if ema is None:
            self.weight = nn.Parameter(codes)
        else:
            self.register_buffer("weight", codes)
        self.register_buffer("counts", torch.zeros(n_codes))
        self.register_buffer("idle", torch.zeros(n_codes, dtype=torch.int64))
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))
        room = max(PENDING_PER_CODE * n_codes, PENDING_LEAST) if kmeans_batches else 0
        self.register_buffer("pending", torch.zeros(room, dim))
        self.register_buffer("n_pending", torch.zeros((), dtype=torch.int64))
        # Asking the buffer would make the host wait for the device at every batch.
        self._known_steps: int | None = None

    @property
    def codes(self) -> Tensor:
        """The codes in single precision, of length one where they have to be."""
        weight = self.weight.float()
        return unit(weight) if self.cosine and self.ema is None else weight

    @torch.compiler.disable
    @torch.no_grad()
    def prepare(self, z: Tensor, valid: Tensor | None = None) -> bool:
        """Count a training batch; start codes or revive them where it is time.

        Parameters
        ----------
        z : Tensor, shape (n, dim)
            The vectors, float32.
        valid : Tensor of bool, shape (n,), optional
            False where a vector is padding.

        Returns
        -------
        bool
            Whether codes have been started, and can be used.

        Examples
        --------
        >>> book = Codebook(2, 3, False, 0.99, 2, None, 0)
        >>> book.prepare(torch.zeros(4, 3)), book.prepare(torch.ones(4, 3))
        (False, True)
        >>> book.codes.sort(dim=0).values
        tensor([[0., 0., 0.],
                [1., 1., 1.]])
        """
        z = z if valid is None else z[valid]
        steps = self._count()
        if steps <= self.kmeans_batches:
            self._collect(z, steps)
        if steps == self.kmeans_batches:
            self._start(len(z))
        elif steps > self.kmeans_batches and self.revive_after is not None:
            dead = (self.idle >= self.revive_after).nonzero()[:, 0]
            if len(dead):
                self._revive(dead, z, steps)
        return steps >= self.kmeans_batches

    @torch.compiler.disable
    @torch.no_grad()
    def learn(self, z: Tensor, indices: Tensor, valid: Tensor | None = None) -> None:
        """Note which codes were chosen, and move those that follow averages.

        Parameters
        ----------
        z : Tensor, shape (n, dim)
            The vectors, float32.
        indices : Tensor of int64, shape (n,)
            The codes they chose.
        valid : Tensor of bool, shape (n,), optional
            False where a vector is padding.

        Examples
        --------
        >>> book = Codebook(2, 1, False, 0.5, 0, None, 0)
        >>> book.learn(torch.tensor([[1.0], [3.0]]), torch.tensor([1, 1]))
        >>> book.counts, book.codes[1]
        (tensor([0., 1.]), tensor([2.]))
        """
        if valid is not None:
            z, indices = z[valid], indices[valid]
        n = torch.bincount(indices, minlength=self.n_codes).float()
        if self.ema is None:
            n = summed(n)
            self.counts.lerp_(n.to(self.counts.dtype), 1 - USAGE_DECAY)
        else:
            sums = torch.zeros(self.n_codes, self.dim, device=z.device).index_add_(0, indices, z)
            both = summed(torch.cat([sums, n[:, None]], dim=1))
            sums, n = both[:, :-1], both[:, -1]
            self.counts.mul_(self.ema).add_(n, alpha=1 - self.ema)
            self.weight.copy_(self._followed(sums, n, self.ema))
        self.idle.add_(1).masked_fill_(n > 0, 0)

    def _followed(self, sums: Tensor, n: Tensor, ema: float) -> Tensor:
        """Return the codes after a batch; ``counts`` already has it in."""
        weight = self.weight.float()
        if self.cosine:
            moved = unit(ema * weight + (1 - ema) * unit(sums))
            return torch.where((n > 0)[:, None], moved, weight)
        # Dividing a decayed sum by a decayed count would end in 0/0 for codes long unused.
        rate = torch.where(n > 0, (1 - ema) / self.counts.clamp(min=TINY), 0.0)[:, None]
        return weight + rate * (sums - n[:, None] * weight)

    def _count(self) -> int:
        """Count a training batch."""
        if self._known_steps is None:
            self._known_steps = int(self.steps)
        self._known_steps += 1
        self.steps += 1
        return self._known_steps

    def _generator(self, steps: int) -> torch.Generator:
        """Return randomness of seed and step alone, so that a resumed run draws the same."""
        return torch.Generator().manual_seed(self.seed * 1_000_003 + steps)

    def _sample(self, z: Tensor, most: int, steps: int) -> tuple[Tensor, Tensor]:
        """Draw different vectors; return them, padded with zeros, and which are vectors."""
        rows = torch.randperm(len(z), generator=self._generator(steps))[:most].sort().values
        kept = F.pad(z[rows.to(z.device)], (0, 0, 0, most - len(rows)))
        return kept, torch.arange(most, device=z.device) < len(rows)

    def _collect(self, z: Tensor, steps: int) -> None:
        """Keep some vectors of a batch for k-means, the same ones in all processes."""
        most = max(len(self.pending) // (self.kmeans_batches * n_processes()), 1)
        kept, real = self._sample(z, most, steps)
        kept = gathered(kept)[gathered(real)]
        first = int(self.n_pending)
        kept = kept[: len(self.pending) - first]
        self.pending[first : first + len(kept)] = kept
        self.n_pending += len(kept)

    def _start(self, n: int) -> None:
        """Set the codes by k-means, and their counts to what a batch of this size will give."""
        known = self.pending[: int(self.n_pending)].float()
        total = summed(torch.tensor(float(n), device=known.device))
        if len(known):
            centres = cluster_centres(known, self.n_codes, cosine=self.cosine, seed=self.seed)
            # Processes on different devices may round differently.
            self.weight.copy_(from_first(centres))
            labels = nearest(known, self.weight.float(), self.cosine)
            share = torch.bincount(labels, minlength=self.n_codes) / len(known)
            self.counts.copy_(from_first(share * total))
        self.pending.zero_()
        self.n_pending.zero_()

    def _revive(self, dead: Tensor, z: Tensor, steps: int) -> None:
        """Move codes to vectors of this batch, as many as there are."""
        moved, real = (from_first(part) for part in self._sample(z, len(dead), steps))
        moved, dead = moved[real], dead[real]
        self.weight[dead] = moved.to(self.weight.dtype)
        self.counts[dead] = 0.0
        self.idle[dead] = 0

    def _load_from_state_dict(self, *args: Any, **kwargs: Any) -> None:
        self._known_steps = None
        super()._load_from_state_dict(*args, **kwargs)

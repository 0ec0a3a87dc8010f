"""A torch network as an embedding: its features, and the choices that follow from them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from neurokit.arguments import whole
from neurokit.errors import DataError

__all__ = ["Inputs", "divergence", "embed_inputs", "forward", "n_inputs", "triplet_similarities"]

Inputs = ArrayLike | torch.Tensor | Sequence[Any]


def embed_inputs(
    student: torch.nn.Module, inputs: Inputs, batch_size: int = 256
) -> NDArray[np.float32]:
    """Return a network's features of all inputs.

    Parameters
    ----------
    student : torch.nn.Module
        Maps a batch of inputs to features of shape (batch, feature); it stays on its device and
        in its mode.
    inputs : array-like, tensor or sequence, one entry an input
        Arrays and tensors are cut along the first dimension and moved to the device; of any other
        sequence, such as texts, the network gets lists.
    batch_size : int
        Inputs that pass at once.

    Returns
    -------
    ndarray, shape (input, feature)
        Features.

    Raises
    ------
    DataError
        An output of another shape.

    Examples
    --------
    >>> embed_inputs(torch.nn.Identity(), np.ones((3, 2))).shape
    (3, 2)
    """
    n, step = n_inputs(inputs), whole("batch_size", batch_size, least=1)
    with torch.no_grad():
        parts = [
            forward(student, inputs, np.arange(k, min(k + step, n))).float().cpu().numpy()
            for k in range(0, n, step)
        ]
    return np.concatenate(parts)


def forward(student: torch.nn.Module, inputs: Inputs, chosen: NDArray[np.intp]) -> torch.Tensor:
    """Pass some inputs through a network.

    Parameters
    ----------
    student : torch.nn.Module
        The network.
    inputs : array-like, tensor or sequence
        As for :func:`embed_inputs`.
    chosen : ndarray of int
        Which of them.

    Returns
    -------
    Tensor, shape (len(chosen), feature)
        Features.

    Raises
    ------
    DataError
        An output of another shape.

    Examples
    --------
    >>> forward(torch.nn.Identity(), torch.eye(3), np.array([2]))
    tensor([[0., 0., 1.]])
    """
    place = next((p.device for p in student.parameters()), torch.device("cpu"))
    if isinstance(inputs, torch.Tensor):
        batch: Any = inputs[torch.from_numpy(chosen).to(inputs.device)].to(place)
    elif isinstance(inputs, np.ndarray | xr.DataArray):
        taken = np.ascontiguousarray(inputs[chosen])
        batch = torch.from_numpy(taken.astype(np.float32) if taken.dtype.kind == "f" else taken)
        batch = batch.to(place)
    else:
        batch = [inputs[int(k)] for k in chosen]  # type: ignore[index]
    out = student(batch)
    if not isinstance(out, torch.Tensor) or out.ndim != 2 or len(out) != len(chosen):
        got = tuple(out.shape) if isinstance(out, torch.Tensor) else type(out).__name__
        raise DataError(
            f"Expected the student to return a tensor of shape ({len(chosen)}, feature); got "
            f"{got}. Wrap it in a module that pools, or picks the tensor."
        )
    return out


def triplet_similarities(
    features: torch.Tensor, rows: torch.Tensor, similarity: str
) -> torch.Tensor:
    """Return how alike the two others are when each object of a triplet is left out.

    Parameters
    ----------
    features : Tensor, shape (object, feature)
        Features.
    rows : Tensor of int, shape (n, 3)
        Triplets of them.
    similarity : str
        ``"cosine"`` or ``"dot"``.

    Returns
    -------
    Tensor, shape (n, 3)
        As :func:`~neurokit.alignment.pair_similarities`, with gradients.

    Examples
    --------
    >>> triplet_similarities(torch.eye(3), torch.tensor([[0, 1, 2]]), "dot")
    tensor([[0., 0., 0.]])
    """
    if similarity == "cosine":
        features = torch.nn.functional.normalize(features, dim=1)
    a, b, c = (features[rows[:, k]] for k in range(3))
    return torch.stack([(b * c).sum(1), (a * c).sum(1), (a * b).sum(1)], dim=1)


def divergence(targets: torch.Tensor, logits: torch.Tensor, loss: str) -> torch.Tensor:
    """Return the mean divergence of a student's probabilities from a teacher's.

    Parameters
    ----------
    targets : Tensor, shape (n, 3)
        The teacher's probabilities.
    logits : Tensor, shape (n, 3)
        The student's, before the softmax.
    loss : str
        ``"kl"`` (Kullback–Leibler, teacher first) or ``"jsd"`` (Jensen–Shannon).

    Returns
    -------
    Tensor
        In nats; 0 where both agree.

    Examples
    --------
    >>> p = torch.tensor([[0.2, 0.3, 0.5]])
    >>> [abs(round(float(divergence(p, p.log(), loss)), 5)) for loss in ("kl", "jsd")]
    [0.0, 0.0]
    """
    logs = torch.log_softmax(logits.float(), dim=1)
    certainty = torch.xlogy(targets, targets)
    if loss == "kl":
        return (certainty - targets * logs).sum(1).mean()
    own = logs.exp()
    # Neither side has probability where the middle has none.
    middle = torch.log(((targets + own) / 2).clamp_min(1e-12))
    return (certainty - targets * middle + own * (logs - middle)).sum(1).mean() / 2


def n_inputs(inputs: Inputs) -> int:
    """Count inputs.

    Parameters
    ----------
    inputs : array-like, tensor or sequence
        As for :func:`embed_inputs`.

    Returns
    -------
    int
        How many there are.

    Raises
    ------
    DataError
        Anything else, such as an iterator.

    Examples
    --------
    >>> n_inputs(["a cat", "a dog"])
    2
    """
    kinds = (Sequence, np.ndarray, torch.Tensor, xr.DataArray)
    if not isinstance(inputs, kinds) or isinstance(inputs, str):
        raise DataError(
            f"Expected inputs as an array, a tensor or a list; got {type(inputs).__name__}."
        )
    return len(inputs)

"""What SUMA can be asked, and what it refuses to read."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from neurokit import arguments
from neurokit.errors import DataError

__all__ = ["check_tokens", "layer_names"]


def check_tokens(input_ids: Tensor, mask: Tensor | None, vocabulary: int) -> None:
    """Refuse what cannot be looked up, before it becomes an index error.

    Parameters
    ----------
    input_ids : Tensor of int, shape (batch, time)
        Tokens.
    mask : Tensor of bool, shape (batch, time), optional
        True where there is a token.
    vocabulary : int
        How many tokens there are.

    Raises
    ------
    DataError
        Tokens that are none, a mask of another shape, or a row without a token.
    """
    ids = arguments.instance("input_ids", input_ids, Tensor, "a tensor of tokens")
    if ids.ndim != 2 or not ids.numel() or ids.is_floating_point():
        raise DataError(
            f"Expected input_ids of whole numbers and shape (batch, time); got {ids.dtype} of "
            f"shape {tuple(ids.shape)}."
        )
    low, high = int(ids.min()), int(ids.max())
    if low < 0 or high >= vocabulary:
        raise DataError(
            f"Tokens go from {low} to {high}, but the vocabulary has {vocabulary}. Does the "
            "tokenizer belong to this model?"
        )
    if mask is None:
        return
    if mask.shape != ids.shape or mask.dtype != torch.bool:
        raise DataError(
            f"Expected a mask of bool and shape {tuple(ids.shape)}; got {mask.dtype} of shape "
            f"{tuple(mask.shape)}. Try mask.bool()."
        )
    if not bool(mask.any(dim=1).all()):
        raise DataError("A row of the mask has no token. Leave empty texts out.")


def layer_names(layers: str | int | Sequence[str | int], cycles: int) -> list[str | int]:
    """List the layers asked for.

    Parameters
    ----------
    layers : {"all"}, int, "units", or a sequence of them
        As the caller gave them.
    cycles : int
        Of the model.

    Returns
    -------
    list of int and str
        In the order asked for.

    Raises
    ------
    DataError
        A layer that the model does not have.
    """
    known: list[str | int] = [*range(cycles + 1), "units"]
    if isinstance(layers, str) and layers == "all":
        return known
    wanted = [layers] if isinstance(layers, str | int) else list(layers)
    for name in wanted:
        if name not in known:
            raise DataError(f"Unknown layer {name!r}. This model has {known}.")
    return wanted

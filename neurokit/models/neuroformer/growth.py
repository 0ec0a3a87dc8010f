"""A model that gets to know more units."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from neurokit.windows.spike_tokens import FIRST

if TYPE_CHECKING:
    from neurokit.models.neuroformer.network import Neuroformer

__all__ = ["grow"]


def grow(model: Neuroformer, vocabulary: Any) -> Neuroformer:
    """Make room for more units, see :meth:`Neuroformer.extend`.

    Parameters
    ----------
    model : Neuroformer
        Changed in place.
    vocabulary : Vocabulary or sequence of (str, int)
        The units of the model in their order, then the new ones.

    Returns
    -------
    Neuroformer
        The model.

    Raises
    ------
    DataError
        A vocabulary that does not begin with the model's.

    Examples
    --------
    >>> from neurokit.models import Neuroformer, NeuroformerConfig
    >>> config = NeuroformerConfig.preset("tiny", n_units=1, vocabulary=(("monday", 7),))
    >>> grow(Neuroformer(config), [("monday", 7), ("tuesday", 7)]).config.n_units
    2
    """
    config = model.config.grown(vocabulary)
    known = model.config.n_ids
    fresh = type(model)(config).to(model.id_head.weight)
    with torch.no_grad():
        pairs = (
            (model.body.embedding.unit.weight, fresh.body.embedding.unit.weight),
            (model.id_head.weight, fresh.id_head.weight),
            (model.id_head.bias, fresh.id_head.bias),
        )
        for old, new in pairs:
            new[:known] = old
        fresh.id_head.bias[known:] = model.id_head.bias[FIRST:].mean()
    model.config = config
    model.body.embedding.unit, model.id_head = fresh.body.embedding.unit, fresh.id_head
    return model

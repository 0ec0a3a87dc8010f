"""What stands between a model's tokens and the scores of classes."""

from __future__ import annotations

import itertools
import numbers
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from torch import Tensor, nn

from neurokit import arguments
from neurokit.errors import DataError
from neurokit.models.nn.transformer import activation_layer

__all__ = ["ClassifierConfig", "class_names", "head_layers", "pooled"]


@dataclass(frozen=True)
class ClassifierConfig:
    """Settings of :class:`Classifier`, which makes them itself.

    Parameters
    ----------
    family : str
        Class of the backbone, one that ``neurokit.models`` offers.
    backbone : dict
        Its configuration.
    classes : tuple of str
        Names of the classes; a label is a place in it.
    n_features : int
        That the head takes.
    pool : {"mean", "flatten"}
        Over tokens.
    hidden : tuple of int
        Widths of the head's layers before the last.
    activation : {"relu", "gelu", "tanh"}
        After each of them.
    dropout : float
        Before each layer of the head.
    sigmoid : bool
        Whether scores pass a sigmoid.
    seed : int
        Of the head's first weights.
    channels : tuple of str
        Names of the channels whose tokens lie side by side, which windows must then have in
        this order. Empty: names are not checked.

    Examples
    --------
    >>> ClassifierConfig("EEGFormer", {}, ("rest", "task"), n_features=128).pool
    'mean'
    """

    family: str
    backbone: dict[str, Any]
    classes: tuple[str, ...]
    n_features: int
    pool: Literal["mean", "flatten"] = "mean"
    hidden: tuple[int, ...] = ()
    activation: str = "relu"
    dropout: float = 0.0
    sigmoid: bool = False
    seed: int = 0
    channels: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if len(set(self.classes)) < 2 or len(set(self.classes)) < len(self.classes):
            raise DataError(
                f"Expected two classes or more, each with its own name; got {self.classes}."
            )
        for size in (self.n_features, *self.hidden):
            arguments.whole("width of the head", size, least=1)
        arguments.known("pool", self.pool, ("mean", "flatten"))
        if not 0 <= arguments.number("dropout", self.dropout) < 1:
            raise DataError(f"dropout is {self.dropout}, expected 0 to below 1.")
        arguments.whole("seed", self.seed, least=0)


def class_names(classes: Sequence[str] | int) -> tuple[str, ...]:
    """Name classes.

    Parameters
    ----------
    classes : sequence of str, or int
        Their names, or how many there are.

    Returns
    -------
    tuple of str
        The names; without them, numbers.

    Examples
    --------
    >>> class_names(2), class_names(["rest", "task"])
    (('0', '1'), ('rest', 'task'))
    """
    if isinstance(classes, numbers.Integral):
        return tuple(str(place) for place in range(int(classes)))
    return tuple(arguments.name_list("classes", classes))


def pooled(tokens: Tensor, pool: str) -> Tensor:
    """Make one row of features a window.

    Parameters
    ----------
    tokens : Tensor, shape (window, feature) or (window, ..., feature)
        Of a backbone.
    pool : {"mean", "flatten"}
        Over what lies between.

    Returns
    -------
    Tensor, shape (window, feature)
        Unchanged where there are no tokens.

    Examples
    --------
    >>> import torch
    >>> pooled(torch.ones(2, 5, 3), "mean").shape, pooled(torch.ones(2, 5, 3), "flatten").shape
    (torch.Size([2, 3]), torch.Size([2, 15]))
    """
    if tokens.ndim == 2 or pool == "flatten":
        return tokens.flatten(1)
    return tokens.flatten(1, -2).mean(dim=1)


def head_layers(config: ClassifierConfig) -> nn.Sequential:
    """Make the layers from features to scores.

    Parameters
    ----------
    config : ClassifierConfig
        Settings.

    Returns
    -------
    Sequential
        Dropout and a linear layer, once and again for each hidden width.

    Examples
    --------
    >>> len(head_layers(ClassifierConfig("EEGFormer", {}, ("a", "b"), 8, hidden=(4,))))
    5
    """
    widths = (config.n_features, *config.hidden, len(config.classes))
    layers: list[nn.Module] = []
    for n_in, n_out in itertools.pairwise(widths):
        layers += [nn.Dropout(config.dropout), nn.Linear(n_in, n_out)]
        layers.append(activation_layer(config.activation))
    return nn.Sequential(*layers[:-1])

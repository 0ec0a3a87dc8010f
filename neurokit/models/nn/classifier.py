"""A classifier on what a model represents: for a linear probe, fine-tuning, or from scratch."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Sequence
from typing import Any, Literal, Never, Self, cast

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from neurokit import arguments
from neurokit.devices import lent, moved
from neurokit.errors import DataError, ReadError, UnknownNameError, suggest
from neurokit.models.nn import settings
from neurokit.models.nn.heads import ClassifierConfig, class_names, head_layers, pooled
from neurokit.models.nn.pretrained import Pretrained

__all__ = ["Classifier"]


class Classifier(Pretrained):
    """A model, its tokens pooled, and a head that scores classes.

    Where no parameter of the backbone requires a gradient, it stays in evaluation mode in
    training, too: a frozen model does not change, not by its running statistics either.

    Parameters
    ----------
    backbone : Pretrained
        With ``represent(batch)``.
    classes : sequence of str, or int
        Names of the classes, in the order of the labels; or how many there are.
    pool : {"mean", "flatten"}
        The mean over tokens, or all of them side by side, which needs windows of one length.
    hidden : int or sequence of int
        Widths of layers between tokens and scores; by default the head is linear.
    activation : {"relu", "gelu", "tanh"}
        After each of those.
    dropout : float
        Before each layer of the head, in training.
    sigmoid : bool
        Whether scores pass a sigmoid before the cross-entropy, as in the code that came with
        Du-IN (Zheng et al. 2024, arXiv 2405.11459). It bounds the probabilities.
    n_features : int, optional
        That the head takes; by default as many as the backbone's own example has, which for
        ``pool="flatten"`` means windows of that length.
    seed : int
        Of the head's first weights.
    channels : sequence of str
        Names of the channels, where tokens lie side by side: windows with others are refused.
        ``finetune`` takes them from its windows.
    **unknown
        Refused: options come from users, through ``finetune(head=...)``.

    Raises
    ------
    DataError
        A value that makes no sense.
    UnknownNameError
        Another option than these.

    Examples
    --------
    >>> import neurokit as nk
    >>> backbone = nk.models.EEGFormer(nk.models.EEGFormerConfig.preset("tiny"))
    >>> model = Classifier(backbone.requires_grad_(False), ["rest", "task"]).train(True)
    >>> model.head.training, model.backbone.training
    (True, False)
    >>> batch = model.example()
    >>> model.represent(batch).shape[1] == model.config.n_features
    True
    >>> torch.equal(model.eval().forward(batch), model.respond(batch))
    True
    """

    config_class = ClassifierConfig
    config: ClassifierConfig

    def __init__(
        self,
        backbone: Pretrained,
        classes: Sequence[str] | int,
        *,
        pool: Literal["mean", "flatten"] = "mean",
        hidden: int | Sequence[int] = (),
        activation: str = "relu",
        dropout: float = 0.0,
        sigmoid: bool = False,
        n_features: int | None = None,
        seed: int = 0,
        channels: Sequence[str] = (),
        **unknown: Never,
    ) -> None:
        for name in unknown:
            raise UnknownNameError("option of the head", name, _options())
        arguments.instance("backbone", backbone, Pretrained, "a model of neurokit")
        arguments.known("pool", pool, ("mean", "flatten"))
        config = ClassifierConfig(
            family=type(backbone).__name__,
            backbone=settings.plain(backbone.config),
            classes=class_names(classes),
            n_features=n_features or _feature_count(backbone, pool),
            pool=pool,
            hidden=(hidden,) if isinstance(hidden, int) else tuple(hidden),
            activation=activation,
            dropout=dropout,
            sigmoid=sigmoid,
            seed=seed,
            channels=tuple(arguments.name_list("channels", channels)),
        )
        super().__init__(config)
        self.backbone = backbone
        with torch.random.fork_rng(devices=[]):
            # torch.manual_seed would start the generators of all devices over.
            torch.default_generator.manual_seed(config.seed)
            self.head = head_layers(config)

    @classmethod
    def _from_config(cls, config: ClassifierConfig) -> Self:
        """Make the backbone from its own configuration, then the head."""
        family = _family(config.family)
        where = f"the configuration of the classifier's {config.family}"
        backbone = family._from_config(
            settings.restored(family.config_class, config.backbone, where)
        )
        return cls(
            backbone,
            config.classes,
            pool=config.pool,
            hidden=config.hidden,
            activation=config.activation,
            dropout=config.dropout,
            sigmoid=config.sigmoid,
            n_features=config.n_features,
            seed=config.seed,
            channels=config.channels,
        )

    def train(self, mode: bool = True) -> Self:
        """Set the mode; a frozen backbone stays in evaluation mode.

        Parameters
        ----------
        mode : bool
            Whether to train.

        Returns
        -------
        Self
            Itself.
        """
        super().train(mode)
        if not any(p.requires_grad for p in self.backbone.parameters()):
            self.backbone.eval()
        return self

    def represent(self, batch: dict[str, Tensor]) -> Tensor:
        """Represent windows as the head takes them.

        Parameters
        ----------
        batch : dict of Tensor
            Windows, as the backbone takes them.

        Returns
        -------
        Tensor, shape (window, feature)
            Pooled over tokens.

        Raises
        ------
        DataError
            Another number of features than the head takes: windows of another length.
        """
        features = pooled(self.backbone.represent(batch), self.config.pool)
        if features.shape[1] != self.config.n_features:
            raise DataError(
                f"The head takes {self.config.n_features} features, these windows have "
                f"{features.shape[1]} (pool={self.config.pool!r}). Take windows of the length and "
                "channels that the classifier was made for, or make it with "
                f"n_features={features.shape[1]}."
            )
        return features

    def forward(self, batch: dict[str, Tensor]) -> Tensor:
        """Score classes.

        Parameters
        ----------
        batch : dict of Tensor
            Windows, as the backbone takes them.

        Returns
        -------
        Tensor, shape (window, class)
            Logits, whose softmax are probabilities.
        """
        # A head that is new is in single precision; a backbone may be in another.
        features = self.represent(batch).to(next(self.head.parameters()).dtype)
        scores = self.head(features)
        return scores.sigmoid() if self.config.sigmoid else scores

    def loss(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Compute what training minimises.

        Parameters
        ----------
        batch : dict of Tensor
            Windows with ``label``, places in ``config.classes``.

        Returns
        -------
        dict of Tensor
            ``loss``, the mean cross-entropy in nats, and ``accuracy``.

        Raises
        ------
        DataError
            A batch without labels.

        Examples
        --------
        >>> import neurokit as nk
        >>> backbone = nk.models.EEGFormer(nk.models.EEGFormerConfig.preset("tiny"))
        >>> batch = backbone.example()
        >>> batch["label"] = torch.zeros(len(batch["x"]), dtype=torch.long)
        >>> sorted(Classifier(backbone, 2).loss(batch))
        ['accuracy', 'loss']
        """
        if "label" not in batch:
            raise DataError("The windows have no labels. Make them with labels=.")
        label = batch["label"].long()
        logits = self(batch).float()
        return {
            "loss": F.cross_entropy(logits, label),
            "accuracy": (logits.detach().argmax(dim=1) == label).float().mean(),
        }

    def check(self, win: Any) -> None:
        """Refuse windows that do not fit the backbone, or whose classes are others.

        Parameters
        ----------
        win : Windows
            To be classified, with or without labels.

        Raises
        ------
        DataError
            Other classes or another order of them; and what the backbone refuses.

        Examples
        --------
        >>> import neurokit as nk
        >>> backbone = nk.models.EEGFormer(nk.models.EEGFormerConfig.preset("tiny"))
        >>> Classifier(backbone, ["rest", "task"]).check([backbone.example()])
        """
        names, mine = tuple(getattr(win, "classes", ())), self.config.classes
        if names and names != mine and mine != class_names(len(names)):
            raise DataError(f"The windows' classes are {names}, the classifier's {mine}.")
        labels = np.asarray([] if (given := getattr(win, "labels", None)) is None else given)
        if labels.size and not np.isin(labels, np.arange(len(mine))).all():
            raise DataError(
                f"Labels go from {labels.min()} to {labels.max()}, expected whole numbers from 0 "
                f"to {len(mine) - 1}."
            )
        self.check_inputs(win)

    def check_inputs(self, win: Any) -> None:
        """Refuse windows that do not fit the backbone, or the places of the channels.

        Parameters
        ----------
        win : Windows
            To be classified; their labels do not matter.

        Raises
        ------
        DataError
            Other channels than those that lay side by side; and what the backbone refuses.

        Examples
        --------
        >>> import neurokit as nk
        >>> backbone = nk.models.EEGFormer(nk.models.EEGFormerConfig.preset("tiny"))
        >>> Classifier(backbone, ["rest", "task"]).check_inputs([backbone.example()])
        """
        known, channels = self.config.channels, tuple(getattr(win, "names", ()))
        if known and channels and channels != known:
            raise DataError(
                f"The channels are {', '.join(channels[:8])}; the classifier learned from "
                f"{', '.join(known[:8])}, side by side. Pick the same, in this order."
            )
        if hasattr(win, "sampling_rate") and hasattr(self.backbone, "check"):
            cast(Any, self.backbone).check(win)

    def example(self) -> dict[str, Tensor]:
        """Make a small batch: the backbone's, repeated to the size that the head takes.

        Returns
        -------
        dict of Tensor
            Always the same one.
        """
        batch = self.backbone.example()
        found = _feature_count(self.backbone, self.config.pool)
        if found == self.config.n_features:
            return batch
        # Side by side, features go with channels, where any montage will do, or with samples.
        for axis in (2, 1):
            resized = {**batch, "x": _repeated(batch["x"], axis, self.config.n_features / found)}
            with contextlib.suppress(DataError, RuntimeError):
                if _feature_count(self.backbone, self.config.pool, resized) == (
                    self.config.n_features
                ):
                    return resized
        return batch

    def respond(self, batch: dict[str, Tensor]) -> Tensor:
        """Score classes; stored with the model, and compared on load.

        Parameters
        ----------
        batch : dict of Tensor
            Windows, as the backbone takes them.

        Returns
        -------
        Tensor, shape (window, class)
            Logits.
        """
        return self(batch)


def _options() -> list[str]:
    """Return the names of what a head may be told."""
    given = inspect.signature(Classifier).parameters.values()
    return [option.name for option in given if option.kind is option.KEYWORD_ONLY]


@torch.no_grad()
def _feature_count(backbone: Pretrained, pool: str, batch: dict[str, Tensor] | None = None) -> int:
    """Return how many features a batch has, by default the backbone's own example."""
    batch = backbone.example() if batch is None else batch
    with torch.random.fork_rng(devices=[]), lent(backbone) as place:
        tokens = backbone.represent(moved(batch, place))
    return pooled(tokens, pool).shape[1]


def _repeated(x: Tensor, axis: int, times: float) -> Tensor:
    """Repeat windows along an axis, a broken number of times."""
    n = max(1, round(x.shape[axis] * times))
    return x.index_select(axis, torch.arange(n) % x.shape[axis])


def _family(name: str) -> type[Pretrained]:
    """Return the class of a family: one of those that neurokit offers, never another."""
    from neurokit import models

    family = getattr(models, name) if name in models.__all__ else None
    if not (isinstance(family, type) and issubclass(family, Pretrained)):
        known = [offered for offered in models.__all__ if offered[0].isupper()]
        raise ReadError(f"neurokit.models has no family {name!r}.{suggest(name, known)}")
    return family

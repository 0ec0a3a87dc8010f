"""Recipes of pretraining and fine-tuning: data, preparation, windows, split, model, training."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from neurokit.catalog.schema import Schema
from neurokit.catalog.steps import Standardize, Step
from neurokit.catalog.window_table import WindowsTable

__all__ = [
    "FinetuneRecipe",
    "LabelsTable",
    "ModelTable",
    "PretrainRecipe",
    "SplitTable",
    "TrainingTable",
    "WindowsTable",
]

_Positive = Annotated[float, Field(gt=0)]
_Share = Annotated[float, Field(gt=0, lt=1)]
_Count = Annotated[int, Field(ge=1)]
_Text = Annotated[str, Field(min_length=1)]


class LabelsTable(Schema):
    """What is to be told apart.

    Attributes
    ----------
    column : str
        A key of ``meta``, or a column of the events, whose value at a window's middle counts.
    otherwise : str
        The class of windows without an event; without it they are left out.
    merge : dict
        New names for several: ``{ seiz = ["fnsz", "gnsz"] }``.
    keep : list
        Classes to keep, by default all, in the order of the alphabet. Of two, the second is the
        one that scores are for.
    """

    column: _Text
    otherwise: str = ""
    merge: dict[str, list[str | int]] = Field(default_factory=dict)
    keep: list[str] = Field(default_factory=list)

    @field_validator("keep")
    @classmethod
    def _check_keep(cls, keep: list[str]) -> list[str]:
        if len({*keep}) < len(keep):
            raise ValueError(f"a class is named twice: {keep}.")
        return keep


class SplitTable(Schema):
    """Who trains, who selects, who tests.

    Attributes
    ----------
    by : str
        A key of ``meta`` such as ``"subject"`` or ``"split"``; or ``"time"``: the first part of
        each recording trains, the last tests.
    validation, test : list
        Values of the key.
    validation_share, test_share : float
        With ``by = "time"`` the share of each recording. Otherwise shares that are drawn with
        the seed: of the key's values, and of the groups that the test leaves over.
    group : str
        What may not lie on both sides, and what intervals are computed over.
    gap : float
        With ``by = "time"``, seconds between the parts.
    """

    by: _Text
    validation: list[str | int] = Field(default_factory=list)
    test: list[str | int] = Field(default_factory=list)
    validation_share: _Share | None = None
    test_share: _Share | None = None
    group: _Text = "subject"
    gap: Annotated[float, Field(ge=0)] = 0.0

    @model_validator(mode="after")
    def _check(self) -> SplitTable:
        if self.by == "time":
            if self.test_share is None or self.test or self.validation:
                raise ValueError("by = 'time' takes test_share and no lists of values.")
            if self.test_share + (self.validation_share or 0) >= 1:
                raise ValueError("test_share and validation_share leave nothing to train on.")
        elif bool(self.test) == (self.test_share is not None) or self.gap:
            raise ValueError(
                f"by = {self.by!r} takes either test, a list of its values, or test_share; gap "
                "belongs to by = 'time'."
            )
        elif self.validation and self.validation_share is not None:
            raise ValueError("validation and validation_share exclude one another.")
        elif both := {*map(str, self.validation)} & {*map(str, self.test)}:
            raise ValueError(f"{min(both)!r} is in validation and in test.")
        return self


class ModelTable(Schema):
    """Which model.

    Attributes
    ----------
    family : str
        ``EEGFormer``, ``DuIN``, ``DuINMasked`` or, of spikes, ``Neuroformer``, with new weights.
    preset : str
        Its named settings.
    changes : dict
        Settings that differ from them.
    tokenizer : str
        For ``DuINMasked``, the trained ``DuIN``: a folder, a checkpoint on the shelf, or the
        recipe that trained it; its settings are taken, too, and there is no preset.
    checkpoint : str
        A trained model to start from, in place of a family.
    """

    family: str = ""
    preset: str = ""
    changes: dict[str, Any] = Field(default_factory=dict)
    tokenizer: str = ""
    checkpoint: str = ""

    @model_validator(mode="after")
    def _check(self) -> ModelTable:
        if bool(self.family) == bool(self.checkpoint):
            raise ValueError("give either family, for new weights, or checkpoint.")
        if self.checkpoint and (self.preset or self.changes or self.tokenizer):
            raise ValueError("a checkpoint has its own settings: leave out preset and changes.")
        if self.family and bool(self.preset) == bool(self.tokenizer):
            raise ValueError(
                "a family takes a preset, such as 'tiny', or the tokenizer's settings."
            )
        return self


class TrainingTable(Schema):
    """How it is trained; see :func:`neurokit.training.fit`.

    Attributes
    ----------
    epochs, batch_size : int
        Passes over the data, and windows a step.
    lr, min_lr : float
        Learning rate after the warm-up and at the end of the cosine.
    weight_decay : float
        Of matrices.
    warmup : float
        Share of the steps in which the rate rises.
    accumulate : int
        Batches a step.
    precision : str
        ``"auto"``, ``"float32"``, ``"bfloat16"`` or ``"float16"``.
    patience : int
        Epochs without a better validation loss after which training ends.
    compile : bool
        Whether torch compiles the model.
    """

    epochs: _Count
    batch_size: _Count
    lr: _Positive
    min_lr: Annotated[float, Field(ge=0)] = 0.0
    weight_decay: Annotated[float, Field(ge=0)] = 0.01
    warmup: Annotated[float, Field(ge=0, lt=1)] = 0.05
    accumulate: _Count = 1
    precision: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    patience: _Count | None = None
    compile: bool = False


class _TrainingRecipe(Schema):
    """What both kinds share."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")
    title: _Text
    data: _Text
    seed: Annotated[int, Field(ge=0)] = 0
    note: str = ""
    read: dict[str, Any] = Field(default_factory=dict)
    preprocessing: list[Step] = Field(default_factory=list)
    prepared: Literal["memory", "disk"] = "memory"
    windows: WindowsTable
    split: SplitTable
    model: ModelTable
    training: TrainingTable

    @field_validator("note")
    @classmethod
    def _unwrap(cls, text: str) -> str:
        return " ".join(text.split())

    @field_validator("preprocessing")
    @classmethod
    def _check_order(cls, steps: list[Step]) -> list[Step]:
        scaled = [i for i, step in enumerate(steps) if isinstance(step, Standardize)]
        if scaled and scaled != [len(steps) - 1]:
            raise ValueError("standardize comes last, and once.")
        return steps

    @model_validator(mode="after")
    def _check_statistics(self) -> _TrainingRecipe:
        last = self.preprocessing[-1] if self.preprocessing else None
        over = last.over if isinstance(last, Standardize) else ""
        if over == "recording" and self.windows.of_spikes:
            raise ValueError(
                "streams beside spikes take z-scores of the training windows: over = 'train'."
            )
        if over == "recording" and self.split.by == "time":
            raise ValueError(
                "standardize over = 'recording' would use the test part of each recording when "
                "the split is by time; take over = 'train'."
            )
        if self.windows.by_subject and self.split.by == "subject":
            raise ValueError(
                "a model of windows.by_subject knows the channels of no further subject: split by "
                "'time', or by a key of meta within each."
            )
        return self


class PretrainRecipe(_TrainingRecipe):
    """A pretraining without labels.

    Attributes
    ----------
    name, title : str
        As the file; one line for people.
    kind : str
        ``"pretrain"``.
    data : str
        Name of a card.
    seed : int
        Of weights, order of samples, and what is random in the model.
    note : str
        For the model card: limits, and what differs from the paper.
    read : dict
        Arguments of the data's reader, over those of the card.
    preprocessing : list
        Steps in their order: ``crop``, ``pick``, ``direction``, ``tcp``, ``filter``, ``notch``,
        ``resample``, ``rereference``, and last ``standardize``.
    prepared : {"memory", "disk"}
        Where prepared recordings are kept; on disk beside the run where memory would not do.
    windows, split, model, training
        Tables of their own.

    Examples
    --------
    >>> from neurokit.catalog.recipes import recipe
    >>> recipe("eegformer-small-tuab").model.family
    'EEGFormer'
    """

    kind: Literal["pretrain"]


class FinetuneRecipe(_TrainingRecipe):
    """A classification with labels: fine-tuned, from scratch, or probed.

    Attributes
    ----------
    kind : str
        ``"finetune"``.
    labels : LabelsTable
        What is to be told apart.
    method : {"finetune", "probe"}
        Train all weights (of a checkpoint, or of a family from scratch); or fit a linear probe to
        what the model represents, its weights left as they are.
    head : dict
        Options of the classification head.
    **others
        As in :class:`PretrainRecipe`.

    Examples
    --------
    >>> from neurokit.catalog.recipes import recipe
    >>> recipe("eegformer-small-tuab-abnormal").labels.column
    'pathology'
    """

    kind: Literal["finetune"]
    labels: LabelsTable
    method: Literal["finetune", "probe"] = "finetune"
    head: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _check_samples(self) -> FinetuneRecipe:
        if self.windows.of_spikes:
            raise ValueError(
                "windows of spikes have no classes: name the variables to read out in "
                "windows.targets, in a recipe of kind 'pretrain'."
            )
        if self.windows.by_subject:
            raise ValueError(
                "windows.by_subject is for pretraining: what a classifier must beat would be "
                "fitted to channels that differ between subjects. Classify with a model of one "
                "subject, without by_subject; or in Python, nk.training.finetune(model, "
                "nk.windows.join_montages([...]), ...) with the windows of each subject."
            )
        return self

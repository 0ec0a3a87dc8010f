"""A pretrained model that learns classes, and what it then says of windows."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
import xarray as xr
from numpy.typing import ArrayLike, NDArray
from torch import nn

from neurokit import arguments
from neurokit.devices import lent, moved
from neurokit.errors import DataError, UnknownNameError
from neurokit.progress import progress_bar
from neurokit.training.batches import batch_of, batch_rows
from neurokit.training.loop import Run, fit

__all__ = ["finetune", "predict"]

FACTS = ("recording", "start", "label")


def finetune(
    model: nn.Module,
    win: Any,
    y: ArrayLike | None = None,
    *,
    validation: Any = None,
    epochs: int,
    batch_size: int,
    lr: float,
    freeze: bool = False,
    head: Mapping[str, Any] | None = None,
    **options: Any,
) -> Run:
    """Train a copy of a model, with a head on it, to tell classes apart.

    The model that is given stays as it is, so that it can be fine-tuned once a fold.

    Parameters
    ----------
    model : Module
        With ``classifier(classes)``, as pretrained models have.
    win : data set
        Windows, or a list of dicts of tensors.
    y : array-like of shape (window,), optional
        Class of each window, names or whole numbers; by default the windows' own labels. The
        classifier knows classes by name, as text: 1 is ``"1"``, and so in :func:`predict`.
    validation : data set or (data set, array-like), optional
        Labelled windows, or windows and their classes, all of which occur in ``y``, too.
    epochs, batch_size, lr
        As in :func:`fit`.
    freeze : bool
        Train the head alone. The model under it stays in evaluation mode.
    head : mapping, optional
        Options of the model's ``classifier``, such as ``dropout``. With ``pool="flatten"`` the
        number of features is that of the windows.
    **options
        Options of :func:`fit`, such as ``patience`` or ``checkpoint_dir``.

    Returns
    -------
    Run
        Its ``model`` is the classifier; :func:`predict` asks it.

    Raises
    ------
    DataError
        A model without a classifier; labels that are missing, NaN, as many as no windows, or all
        of one class; and what :func:`fit` refuses.
    UnknownNameError
        A class in ``validation`` that training does not have, or an option that no head has.

    Examples
    --------
    >>> from neurokit.models import EEGFormer, EEGFormerConfig
    >>> model = EEGFormer(EEGFormerConfig.preset("tiny"))
    >>> x = model.example()["x"]
    >>> win = [{"x": window} for window in x]
    >>> run = finetune(model, win, ["rest", "task"], epochs=1, batch_size=2, lr=1e-3,
    ...                device="cpu", progress=False)
    >>> predict(run.model, win, device="cpu").coords["class"].values.tolist()
    ['rest', 'task']
    """
    _check_model(model)
    pair = validation if isinstance(validation, tuple) else (validation, None)
    for data in (win, pair[0]):
        # The labelled data below no longer tell rates and units.
        if hasattr(model, "check") and hasattr(data, "sampling_rate"):
            model.check(data)  # type: ignore[operator]
    names, order = _class_names("win", win, y)
    found = set(names)
    classes = [name for name in order if name in found]
    if not names:
        raise DataError("The data set is empty: it has no samples.")
    if len(classes) < 2:
        raise DataError(
            f"All {len(names)} windows are of class {classes[0]!r}: to tell classes apart, two are "
            "needed. Does the selection hold only one condition?"
        )
    held_out = None
    if validation is not None:
        held_out = _labelled("validation", pair[0], _class_names("validation", *pair)[0], classes)
    tuned = copy.deepcopy(model).classifier(  # type: ignore[operator]
        classes, **_head_options(model, win, head or {})
    )
    trains = {p: p.requires_grad for p in tuned.backbone.parameters()}
    if freeze:
        tuned.backbone.requires_grad_(False)
    data = _labelled("win", win, names, classes)
    run = fit(tuned, data, held_out, epochs=epochs, batch_size=batch_size, lr=lr, **options)
    for parameter, trained in trains.items():
        parameter.requires_grad_(trained)
    return run


def predict(
    model: nn.Module,
    win: Any,
    *,
    batch_size: int = 256,
    device: str | torch.device = "auto",
    progress: bool | None = None,
) -> xr.DataArray:
    """Ask a classifier how probable each class is.

    Parameters
    ----------
    model : Classifier
        What :func:`finetune` trained.
    win : data set
        Windows, or a list of dicts of tensors.
    batch_size : int
        Windows at a time; the result does not depend on it.
    device : str or torch.device
        ``"auto"`` takes CUDA where there is one, then Apple's, then the CPU.
    progress : bool, optional
        Show a progress bar; by default on terminals alone.

    Returns
    -------
    DataArray
        Probabilities, dims (window, class), with the classes' names and, on ``window``,
        ``recording``, ``start`` (s) and ``label`` where windows have them.

    Raises
    ------
    DataError
        No windows, windows that do not fit or have missing values, or a model that is no
        classifier.

    Examples
    --------
    >>> from neurokit.models import EEGFormer, EEGFormerConfig
    >>> model = EEGFormer(EEGFormerConfig.preset("tiny"))
    >>> win = [{"x": window} for window in model.example()["x"]]
    >>> p = predict(model.classifier(["rest", "task"]), win, device="cpu")
    >>> p.dims, bool(abs(p.sum("class") - 1).max() < 1e-6)
    (('window', 'class'), True)
    """
    classes = getattr(getattr(model, "config", None), "classes", None)
    if classes is None:
        raise DataError(
            f"A {type(model).__name__} tells no classes apart. Pass the model of a finetune run."
        )
    if not len(win):
        raise DataError("There are no windows to classify.")
    # Labels that windows happen to have are not asked for, and may be numbered otherwise.
    check = getattr(model, "check_inputs", getattr(model, "check", None))
    if check is not None and hasattr(win, "sampling_rate"):
        check(win)
    found: dict[str, list[NDArray[Any]]] = {}
    rows = batch_rows(len(win), arguments.whole("batch_size", batch_size, least=1))
    with lent(model, device) as place:
        for mine in progress_bar(rows, enabled=progress, desc="predict", unit="batch"):
            batch = batch_of(win, mine)
            with torch.no_grad():
                probable = model(moved(batch, place)).float().softmax(dim=1).cpu()
            for name, value in {**batch, "": probable}.items():
                if name in ("", *FACTS):
                    found.setdefault(name, []).append(value.numpy())
    values = {name: np.concatenate(parts) for name, parts in found.items()}
    probabilities = values.pop("")
    bad = np.flatnonzero(~np.isfinite(probabilities).all(axis=1))
    if bad.size:
        raise DataError(
            f"{bad.size} of {len(win)} windows have no finite answer, the first is window "
            f"{bad[0]}. Look for missing or huge values there, and leave those windows out."
        )
    coords = {name: ("window", value) for name, value in values.items()}
    return xr.DataArray(
        probabilities, dims=("window", "class"), coords={"class": list(classes), **coords}
    )


def _check_model(model: nn.Module) -> None:
    """Refuse models that no classifier can be put on; say what tells classes apart instead."""
    arguments.instance("model", model, nn.Module, "a model with classifier(classes)")
    if hasattr(model, "classifier"):
        return
    told = f"A {type(model).__name__} has no classifier(classes), which finetune would train."
    if hasattr(model, "read_target"):
        told += (
            " It learns variables instead: cut windows with targets=, then nk.training.fit("
            "nk.models.neuroformer.with_targets(model, win.target_names), win, ...)."
        )
    if hasattr(model, "represent"):
        told += (
            " To tell classes apart, give nk.models.encode(model, win) and the class of each "
            "window to nk.models.linear_probe."
        )
    raise DataError(told)


@torch.no_grad()
def _head_options(model: Any, win: Any, head: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the head is told: side by side, it takes what the windows have."""
    options = dict(head)
    if options.get("pool") == "flatten":
        options.setdefault("channels", getattr(win, "names", ()))
    if options.get("pool") == "flatten" and options.get("n_features") is None:
        with lent(model) as place:
            tokens = model.represent(moved(batch_of(win, [0]), place))
        options["n_features"] = tokens[0].numel()
    return options


class _Labelled:
    """A data set with other labels."""

    def __init__(self, data: Any, labels: torch.Tensor) -> None:
        self.data, self.labels = data, labels

    def __len__(self) -> int:
        return len(self.data)

    def batch(self, rows: list[int]) -> dict[str, Any]:
        return {**batch_of(self.data, rows), "label": self.labels[rows]}


def _labelled(what: str, data: Any, names: Sequence[str], classes: list[str]) -> _Labelled:
    """Replace names of classes by numbers."""
    for name in names:
        if name not in classes:
            raise UnknownNameError(f"class in {what}", name, classes)
    return _Labelled(data, torch.tensor([classes.index(name) for name in names]))


def _class_names(what: str, data: Any, y: ArrayLike | None) -> tuple[list[str], list[str]]:
    """Return the class of each window by name, and the classes in their order."""
    classes = getattr(data, "classes", ()) if y is None else ()
    y = getattr(data, "labels", None) if y is None else y
    if y is None:
        raise DataError(
            f"{what} has no labels. Cut windows with labels=, or pass the class of each one."
        )
    values = np.asarray(y)
    if values.shape != (len(data),):
        raise DataError(
            f"{what} has {len(data)} windows, and labels of shape {values.shape}: expected one a "
            "window."
        )
    missing = pd.isna(values)
    if missing.any():
        raise DataError(
            f"{int(missing.sum())} of {len(values)} labels of {what} are missing, the first of "
            f"window {int(missing.argmax())}. Leave those windows out."
        )
    if values.dtype.kind == "f":
        odd = ~np.isfinite(values) | (values != np.round(values))
        if odd.any():
            raise DataError(
                f"Labels of {what} are not whole numbers (such as {values[odd][0]:g}): "
                "fine-tuning tells classes apart. Give classes."
            )
        values = values.astype(np.int64)
    if len(classes):
        return [str(classes[value]) for value in values], [str(name) for name in classes]
    if values.dtype.kind == "O":
        values = values.astype(np.str_)
    return [str(value) for value in values], [str(value) for value in np.unique(values)]

"""A training run in a folder: enough to go on as if it had never stopped."""

from __future__ import annotations

import json
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from neurokit.errors import DataError, ReadError
from neurokit.files import replacing

__all__ = ["load_checkpoint", "save_checkpoint", "trained_state"]

STATE = "checkpoint.pt"
METRICS = "metrics.jsonl"


def trained_state(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    """Return what training may change: all of a model's state but frozen parameters.

    Parameters
    ----------
    model : Module
        The model.

    Returns
    -------
    dict of Tensor
        Trained parameters and buffers.

    Examples
    --------
    >>> model = torch.nn.Linear(2, 3)
    >>> _ = model.weight.requires_grad_(False)
    >>> list(trained_state(model))
    ['bias']
    """
    frozen = {name for name, p in model.named_parameters() if not p.requires_grad}
    return {name: value for name, value in model.state_dict().items() if name not in frozen}


def save_checkpoint(folder: Path, content: Mapping[str, Any], history: list[Any]) -> None:
    """Write the state of a run, whole or not at all, and its metrics.

    Parameters
    ----------
    folder : Path
        Made if it does not exist.
    content : mapping
        Tensors, numbers, text, and lists and dicts of them.
    history : list of dict
        One entry an epoch, a line each in ``metrics.jsonl``.

    Examples
    --------
    >>> save_checkpoint(Path("run"), {"epoch": 1}, [{"epoch": 1, "loss": 0.5}])
    >>> load_checkpoint(Path("run"), {})["epoch"]
    1
    """
    folder.mkdir(parents=True, exist_ok=True)
    lines = "".join(json.dumps(entry) + "\n" for entry in history)
    with replacing(folder / METRICS) as path:
        path.write_text(lines, encoding="utf-8")
    # The state comes last: with it the epoch is done.
    state = {**content, "history": history}
    with replacing(folder / STATE) as path:
        torch.save(state, path)


def load_checkpoint(folder: Path, settings: Mapping[str, Any]) -> dict[str, Any] | None:
    """Read the state of a run, if there is one.

    Parameters
    ----------
    folder : Path
        Where the run writes.
    settings : mapping
        What the run to be continued must agree in.

    Returns
    -------
    dict or None
        The content, on the CPU; nothing in it can run code.

    Raises
    ------
    ReadError
        A file that is no checkpoint.
    DataError
        A run with other settings, which are named.

    Examples
    --------
    >>> load_checkpoint(Path("nowhere"), {}) is None
    True
    """
    path = folder / STATE
    if not path.is_file():
        return None
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise ReadError(
            f"{path} is not a checkpoint of a training run, or not a whole one "
            f"({type(error).__name__})."
        ) from None
    theirs = content.get("settings", {})
    other = [f"{k} {theirs.get(k)!r}, not {v!r}" for k, v in settings.items() if theirs.get(k) != v]
    if other:
        raise DataError(
            f"{folder} holds a run with other settings: {'; '.join(other)}. Choose another "
            "checkpoint_dir, or start over with resume=False."
        )
    return dict(content)

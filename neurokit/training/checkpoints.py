"""A training run in a folder: enough to go on as if it had never stopped."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch

from neurokit.environment import versions
from neurokit.errors import DataError, ReadError
from neurokit.files import replacing

__all__ = ["describe_run", "load_checkpoint", "model_settings", "save_checkpoint", "trained_state"]

STATE = "checkpoint.pt"
METRICS = "metrics.jsonl"
CONFIG = "config.json"
ENVIRONMENT = "environment.json"
PACKAGES = ("torch", "numpy")
FOLDER = "folder (checkpoint_dir in Python, --output of a command)"
HASHED = 64  # values of a frozen parameter


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


def model_settings(model: torch.nn.Module) -> dict[str, Any]:
    """Return what a model is, but for the weights that training changes.

    Parameters
    ----------
    model : Module
        With a dataclass as ``config``, if it has any.

    Returns
    -------
    dict
        ``model``, ``config``, the names and shapes of ``weights``, and ``frozen``, a hash of
        what is not trained and so in no checkpoint.

    Examples
    --------
    >>> linear = torch.nn.Linear(2, 3)
    >>> model_settings(linear)
    {'model': 'Linear', 'config': {}, 'weights': ['weight (3, 2)', 'bias (3,)'], 'frozen': ''}
    """
    config = getattr(model, "config", None)
    known = dataclasses.is_dataclass(config) and not isinstance(config, type)
    settings = dataclasses.asdict(config) if known else {}  # type: ignore[arg-type]
    frozen = {name: p for name, p in model.named_parameters() if not p.requires_grad}
    digest = hashlib.sha256()
    for name, parameter in frozen.items():
        # Some of each are enough to tell models apart, and the same on every device.
        some = parameter.detach().flatten()[:HASHED].cpu().double()
        digest.update(f"{name} {tuple(parameter.shape)}".encode() + some.numpy().tobytes())
    return {
        "model": type(model).__name__,
        # As JSON has them: numbers of NumPy would be no numbers for PyTorch's reader.
        "config": json.loads(json.dumps(settings, default=_plain)),
        "weights": [f"{k} {tuple(v.shape)}" for k, v in trained_state(model).items()],
        "frozen": digest.hexdigest()[:16] if frozen else "",
    }


def _plain(value: Any) -> Any:
    return value.item() if getattr(value, "ndim", None) == 0 else str(value)


def describe_run(folder: Path, config: Mapping[str, Any], place: torch.device, size: int) -> None:
    """Write what a run is and what it runs on, for readers: nothing reads it back.

    Parameters
    ----------
    folder : Path
        Made if it does not exist. What a killed run left half-written there is removed.
    config : mapping
        Settings.
    place : torch.device
        Where it computes.
    size : int
        How many processes.

    Examples
    --------
    >>> describe_run(Path("run"), {"epochs": 3}, torch.device("cpu"), 1)
    >>> json.loads(Path("run/config.json").read_text())
    {'epochs': 3}
    """
    environment = {
        **versions(PACKAGES),
        "device": torch.cuda.get_device_name(place) if place.type == "cuda" else place.type,
        "processes": size,
        "threads": torch.get_num_threads(),
    }
    with _explained(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for name in (STATE, METRICS, CONFIG, ENVIRONMENT):
            for left in folder.glob(f".{name}.*"):
                left.unlink(missing_ok=True)
        for name, content in ((CONFIG, config), (ENVIRONMENT, environment)):
            with replacing(folder / name) as path:
                path.write_text(json.dumps(content, indent=2, default=str) + "\n", encoding="utf-8")


def save_checkpoint(folder: Path, content: Mapping[str, Any], history: list[Any]) -> None:
    """Write the state of a run, whole or not at all, and its metrics.

    Parameters
    ----------
    folder : Path
        Which exists.
    content : mapping
        Tensors, numbers, text, and lists and dicts of them.
    history : list of dict
        One entry an epoch, a line each in ``metrics.jsonl``.

    Raises
    ------
    OSError
        The disk is full, or the like; the checkpoint before is intact.

    Examples
    --------
    >>> save_checkpoint(Path(), {"epoch": 1}, [{"epoch": 1, "loss": 0.5}])
    >>> load_checkpoint(Path(), {})["epoch"]
    1
    """
    lines = "".join(json.dumps(entry) + "\n" for entry in history)
    with _explained(folder):
        with replacing(folder / METRICS) as path:
            path.write_text(lines, encoding="utf-8")
        # The state comes last: with it an epoch is done, and without it the epoch's line in the
        # metrics is written again.
        with replacing(folder / STATE) as path, path.open("wb") as file:
            torch.save({**content, "history": history}, file)
            file.flush()
            os.fsync(file.fileno())


@contextlib.contextmanager
def _explained(folder: Path) -> Iterator[None]:
    """Say in one line what a failure to write means for the run."""
    try:
        yield
    except (OSError, RuntimeError) as error:
        # PyTorch hides the reason behind one about its own format.
        reason = error if isinstance(error, OSError) else error.__context__
        if not isinstance(reason, OSError):
            raise
        advice = (
            "The last good checkpoint is intact: run again to go on from it, when there is room, "
            f"or choose another {FOLDER}"
            if (folder / STATE).is_file()
            else f"There is no checkpoint from before: make room, or choose another {FOLDER}"
        )
        raise OSError(
            reason.errno or errno.EIO,
            f"The training run could not be written to {folder}: {reason.strerror or reason}. "
            f"{advice}",
        ) from None


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
        known = dict(content.get("settings", {}))
    except OSError:
        raise
    except Exception as error:
        # What a file that is none of ours raises depends on its first bytes.
        raise ReadError(
            f"{path} is not a checkpoint of a training run, or not a whole one "
            f"({type(error).__name__}). Remove it to start over, or choose another "
            f"{FOLDER}."
        ) from None
    ours, theirs = _flat(settings), _flat({k: v for k, v in known.items() if k in settings})
    other = [
        f"{name} {_shown(theirs.get(name))}, not {_shown(ours.get(name))}"
        for name in dict.fromkeys([*ours, *theirs])
        if theirs.get(name) != ours.get(name)
    ]
    if other:
        raise DataError(
            f"{folder} holds a run with other settings: {'; '.join(other)}. Choose another "
            f"{FOLDER}. To start over there, remove it, or give resume=False in Python."
        )
    return dict(content)


def _flat(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Name the settings of a model one by one."""
    out: dict[str, Any] = {}
    for name, value in settings.items():
        if isinstance(value, dict):
            out |= {f"{name} {inner}": item for inner, item in value.items()}
        else:
            out[name] = value
    return out


def _shown(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) < 60 else f"{shown[:57]}…"

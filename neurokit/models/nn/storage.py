"""The folder of a model: found, written as one, and read with suspicion."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from torch import Tensor

from neurokit.catalog.folders import shelves
from neurokit.environment import versions
from neurokit.errors import ReadError, UnknownNameError
from neurokit.files import replacing

__all__ = ["CONFIG", "GOLDEN", "WEIGHTS", "find_folder", "read_config", "read_tensors", "write"]

CONFIG = "config.json"
WEIGHTS = "model.safetensors"
GOLDEN = "golden.safetensors"
CARD = "README.md"
ENVIRONMENT = "environment.json"
PACKAGES = ("torch", "numpy", "safetensors")


def find_folder(place: Path) -> Path:
    """Find the folder of a model.

    Parameters
    ----------
    place : Path
        The folder itself, or the name of one on the shelf: below ``models`` of the folders in
        ``NEUROKIT_CATALOG``, or of those that come with neurokit.

    Returns
    -------
    Path
        With a ``config.json``.

    Raises
    ------
    ReadError
        A folder without a model.
    UnknownNameError
        Neither a folder nor a name; the nearest name is suggested.

    Examples
    --------
    >>> find_folder(Path("no-such-model"))
    Traceback (most recent call last):
    neurokit.errors.UnknownNameError: Unknown folder or checkpoint 'no-such-model'...
    """
    if (place / CONFIG).is_file():
        return place
    on_shelf = models_on_shelf()
    if str(place) in on_shelf:
        return on_shelf[str(place)]
    if place.is_dir():
        raise ReadError(f"There is no {CONFIG} in {place}. Was it written by save_pretrained?")
    raise UnknownNameError("folder or checkpoint", str(place), sorted(on_shelf))


def models_on_shelf() -> dict[str, Path]:
    """List the models that can be loaded by name.

    Returns
    -------
    dict
        Their folders by name; of two of one name the first in ``NEUROKIT_CATALOG``.

    Examples
    --------
    >>> "eegformer-tiny-eegmat" in models_on_shelf()
    True
    """
    return {
        path.parent.name: path.parent
        for shelf in reversed(shelves("models"))
        for path in sorted(shelf.glob(f"*/{CONFIG}"))
    }


def write(
    folder: Path,
    content: Mapping[str, Any],
    weights: Mapping[str, Tensor],
    golden: Mapping[str, Tensor],
    card: str | None,
) -> None:
    """Write a model's folder: all of it, or nothing.

    Everything is written beside its place first, and moved when all of it is whole: what
    stops the writing leaves the old model as it was. Should the machine stop between two
    moves, the hashes in ``config.json`` give the mixture away.

    Parameters
    ----------
    folder : Path
        Made if it does not exist.
    content : mapping
        Of ``config.json``; the hashes of the other files are added.
    weights, golden : mapping of str to Tensor
        Tensors by name.
    card : str, optional
        Text of the model card.
    """
    folder.mkdir(parents=True, exist_ok=True)
    facts = versions(PACKAGES)
    with ExitStack() as stack:
        # Moved in reverse order, and the configuration is what makes the folder a model.
        config, environment_json, golden_file, weights_file = (
            stack.enter_context(replacing(folder / name))
            for name in (CONFIG, ENVIRONMENT, GOLDEN, WEIGHTS)
        )
        if card is not None:
            stack.enter_context(replacing(folder / CARD)).write_text(card, encoding="utf-8")
        _save(weights, weights_file)
        _save(golden, golden_file)
        _dump(facts, environment_json)
        files = {WEIGHTS: _digest(weights_file), GOLDEN: _digest(golden_file)}
        _dump({**content, "files": files}, config)


def read_config(folder: Path) -> dict[str, Any]:
    """Read a model's ``config.json``.

    Parameters
    ----------
    folder : Path
        Of the model.

    Returns
    -------
    dict
        ``model``, ``config``, ``files`` and what else was written.

    Raises
    ------
    ReadError
        If it is none.
    """
    path = folder / CONFIG
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        kinds = [type(content[key]) for key in ("model", "config", "files")]
        if kinds != [str, dict, dict]:
            raise TypeError(f"model, config and files are {[kind.__name__ for kind in kinds]}")
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise ReadError(f"{path} is not a model's configuration: {error!r}.") from None
    return dict(content)


def read_tensors(folder: Path, name: str, files: Mapping[str, Any]) -> dict[str, Tensor]:
    """Read a file of tensors, and compare it with the hash in the configuration.

    Parameters
    ----------
    folder : Path
        Of the model.
    name : str
        Of the file.
    files : mapping
        Hashes by file, from ``config.json``.

    Returns
    -------
    dict of Tensor
        By name.

    Raises
    ------
    ReadError
        No such file, a damaged one, or not the one that was written with this configuration.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    path = folder / name
    if not path.is_file():
        raise ReadError(f"There is no {name} in {folder}. Copy the whole folder.")
    try:
        tensors = load_file(path)
    except (SafetensorError, OSError) as error:
        raise ReadError(f"{path} cannot be read: {error}. Copy it anew.") from None
    if _digest(path) != files.get(name):
        raise ReadError(
            f"{path} is not the file that its {CONFIG} was written with: it was changed, or a "
            "copy or an overwriting of the folder was interrupted. Copy or save it anew."
        )
    return tensors


def _save(tensors: Mapping[str, Tensor], path: Path) -> None:
    """Write tensors to a file; those that share memory are written each."""
    from safetensors.torch import save_file

    seen: set[int] = set()
    own = {}
    for name, tensor in tensors.items():
        held = tensor.detach().cpu().contiguous()
        start = held.untyped_storage().data_ptr()
        own[name] = held.clone() if start in seen else held
        seen.add(start)
    save_file(own, path)


def _dump(content: Mapping[str, Any], path: Path) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

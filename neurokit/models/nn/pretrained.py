"""Models in a folder: a readable configuration, and weights that cannot carry code."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any, ClassVar, Self

from torch import Tensor, nn

from neurokit import __version__, arguments
from neurokit.errors import ReadError, suggest
from neurokit.files import replacing

__all__ = ["Pretrained"]

CONFIG = "config.json"
WEIGHTS = "model.safetensors"


class Pretrained(nn.Module):
    """What every model can do: save itself, and be loaded, strictly.

    A folder holds ``config.json`` (the class, its configuration, the version that wrote it)
    and ``model.safetensors``. Neither can run code.

    Parameters
    ----------
    config : dataclass
        Of the type that the class names as ``config_class``.
    """

    config_class: ClassVar[type]

    def __init__(self, config: Any) -> None:
        super().__init__()
        name = self.config_class.__name__
        self.config = arguments.instance("config", config, self.config_class, f"a {name}")

    def save_pretrained(self, folder: str | Path) -> None:
        """Write the model to a folder.

        Each file appears whole or not at all, the configuration last.

        Parameters
        ----------
        folder : str or Path
            Made if it does not exist.
        """
        from safetensors.torch import save_file

        place = arguments.path_of("folder", folder)
        place.mkdir(parents=True, exist_ok=True)
        weights = {k: v.detach().cpu().contiguous() for k, v in self.state_dict().items()}
        content = {
            "model": type(self).__name__,
            "neurokit": __version__,
            "config": dataclasses.asdict(self.config),
        }
        with replacing(place / WEIGHTS) as path:
            save_file(weights, path)
        text = json.dumps(content, indent=2) + "\n"
        with replacing(place / CONFIG) as path:
            path.write_text(text, encoding="utf-8")

    @classmethod
    def from_pretrained(cls, folder: str | Path) -> Self:
        """Load a model from a folder.

        Parameters
        ----------
        folder : str or Path
            What :meth:`save_pretrained` wrote.

        Returns
        -------
        Self
            The model, in evaluation mode.

        Raises
        ------
        ReadError
            No such model there, a model of another class, an unknown setting, or weights
            that are missing, superfluous or of another shape: all are named.

        Examples
        --------
        >>> from neurokit.models import FuturePredictor, FuturePredictorConfig
        >>> FuturePredictor(FuturePredictorConfig(n_latents=4, n_hidden=5)).save_pretrained("kept")
        >>> FuturePredictor.from_pretrained("kept").config.n_hidden
        5
        """
        place = arguments.path_of("folder", folder)
        config = cls.config_class(**_settings(place, cls))
        model = cls(config)
        model._load(_weights(place), place)
        return model.eval()

    def _load(self, found: dict[str, Tensor], place: Path) -> None:
        """Take over weights, all of them and nothing else."""
        wanted = self.state_dict()
        wrong = {
            "missing": sorted(set(wanted) - set(found)),
            "unexpected": sorted(set(found) - set(wanted)),
            "of another shape": [
                f"{k} {tuple(found[k].shape)}, expected {tuple(wanted[k].shape)}"
                for k in sorted(set(wanted) & set(found))
                if wanted[k].shape != found[k].shape
            ],
        }
        if any(wrong.values()):
            told = "; ".join(f"{what}: {', '.join(keys)}" for what, keys in wrong.items() if keys)
            raise ReadError(f"The weights in {place} do not fit its config.json: {told}.")
        self.load_state_dict(found)


def _settings(place: Path, cls: type[Pretrained]) -> dict[str, Any]:
    """Read and check the configuration of a folder."""
    path = place / CONFIG
    if not path.is_file():
        raise ReadError(f"There is no {CONFIG} in {place}. Was it written by save_pretrained?")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        name, settings = content["model"], dict(content["config"])
    except (ValueError, KeyError, TypeError) as error:
        raise ReadError(f"{path} is not a model's configuration: {error!r}.") from None
    if name != cls.__name__:
        raise ReadError(f"{place} holds a {name}, not a {cls.__name__}.")
    known = [field.name for field in dataclasses.fields(cls.config_class)]
    for key in settings:
        if key not in known:
            raise ReadError(f"Unknown setting {key!r} in {path}.{suggest(key, known)}")
    return settings


def _weights(place: Path) -> dict[str, Tensor]:
    """Read the weights of a folder."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    path = place / WEIGHTS
    if not path.is_file():
        raise ReadError(f"There is no {WEIGHTS} in {place}.")
    try:
        return load_file(path)
    except SafetensorError as error:
        raise ReadError(f"{path} cannot be read: {error}.") from None

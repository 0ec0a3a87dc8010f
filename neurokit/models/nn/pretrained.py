"""Models in a folder: a readable configuration, and weights that cannot carry code."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Self

import torch
from torch import Tensor, nn

from neurokit import __version__, arguments
from neurokit.errors import DataError, ReadError
from neurokit.models.nn import settings, storage

__all__ = ["Pretrained"]

TOLERANCE = 1e-4  # of the golden output, relative and absolute


class Pretrained(nn.Module):
    """What every model can do: save itself, and be loaded, strictly.

    A folder holds ``config.json`` (the class, its configuration, hashes of the files),
    ``model.safetensors``, ``environment.json`` (versions it was made with),
    ``golden.safetensors`` (an input and what the model made of it), and where one was given
    the model card, ``README.md``. None of them can run code.

    A family names its ``config_class`` and has :meth:`example` and :meth:`represent`.

    Parameters
    ----------
    config : dataclass
        Of the type that the class names as ``config_class``. Its fields are numbers, texts,
        tuples, dicts and further dataclasses.
    """

    config_class: ClassVar[type]
    represent: Any

    def __init__(self, config: Any) -> None:
        super().__init__()
        name = self.config_class.__name__
        self.config = arguments.instance("config", config, self.config_class, f"a {name}")

    @classmethod
    def _from_config(cls, config: Any) -> Self:
        """Make the model that weights are loaded into; for a class that takes more to make."""
        return cls(config)

    def example(self) -> dict[str, Tensor]:
        """Make a small batch, always the same one.

        Returns
        -------
        dict of Tensor
            What :meth:`respond` takes.
        """
        raise DataError(f"{type(self).__name__} has no example(), which saving needs.")

    def respond(self, batch: dict[str, Tensor]) -> Tensor:
        """Compute the output that is stored with the model, and compared on load.

        Parameters
        ----------
        batch : dict of Tensor
            From :meth:`example`.

        Returns
        -------
        Tensor
            The representation; a class that has none has its own.
        """
        return self.represent(batch)

    def save_pretrained(self, folder: str | Path, card: str | None = None) -> None:
        """Write the model to a folder.

        All files are replaced together: what interrupts the writing leaves the old ones.

        Parameters
        ----------
        folder : str or Path
            Made if it does not exist. Other files in it stay.
        card : str, optional
            The model card in Markdown: data, seed, figures, limits. Without it a card that
            is there stays.

        Examples
        --------
        >>> from neurokit.models import FuturePredictor, FuturePredictorConfig
        >>> model = FuturePredictor(FuturePredictorConfig(n_latents=4, n_hidden=5))
        >>> model.save_pretrained("kept", card="# A model of nothing")
        >>> sorted(path.name for path in Path("kept").iterdir())
        ['README.md', 'config.json', 'environment.json', 'golden.safetensors', 'model.safetensors']
        """
        place = arguments.path_of("folder", folder)
        weights = self.state_dict()
        content = {
            "model": type(self).__name__,
            "neurokit": __version__,
            "config": settings.plain(self.config),
        }
        with torch.device("cpu"), torch.random.fork_rng(devices=[]):
            # A fresh one, so that mode, device and precision of this one do not matter.
            again = type(self)._from_config(self.config)
            again._load(weights, "The model's own weights")
            batch = again.example()
            golden = {**{f"input.{k}": v for k, v in batch.items()}, "output": again._answer(batch)}
        storage.write(place, content, weights, golden, card)

    @classmethod
    def from_pretrained(cls, folder: str | Path) -> Self:
        """Load a model from a folder.

        Parameters
        ----------
        folder : str or Path
            What :meth:`save_pretrained` wrote, or the name of a checkpoint on the shelf: of a
            folder in ``models`` of those in ``NEUROKIT_CATALOG``, or of the shipped ones.

        Returns
        -------
        Self
            The model, on the CPU, in evaluation mode. It has answered its stored input as it
            did when it was saved.

        Raises
        ------
        ReadError
            No such model there, a model of another class, an unknown setting, weights that
            are missing, superfluous or of another shape (all are named), a damaged file, or
            another answer than the stored one.
        UnknownNameError
            Neither a folder nor a name on the shelf.

        Examples
        --------
        >>> from neurokit.models import FuturePredictor, FuturePredictorConfig
        >>> FuturePredictor(FuturePredictorConfig(n_latents=4, n_hidden=5)).save_pretrained("kept")
        >>> FuturePredictor.from_pretrained("kept").config.n_hidden
        5
        """
        place = storage.find_folder(arguments.path_of("folder", folder))
        content = storage.read_config(place)
        if content["model"] != cls.__name__:
            raise ReadError(f"{place} holds a {content['model']}, not a {cls.__name__}.")
        path = place / storage.CONFIG
        config = settings.restored(cls.config_class, content["config"], str(path))
        weights = storage.read_tensors(place, storage.WEIGHTS, content["files"])
        golden = storage.read_tensors(place, storage.GOLDEN, content["files"])
        with torch.device("cpu"), torch.random.fork_rng(devices=[]):
            try:
                model = cls._from_config(config)
            except (DataError, RuntimeError) as error:
                raise ReadError(f"The settings in {path} make no model: {error}") from None
            model._load(weights, f"The weights in {place}")
            model._compare(golden, place)
        return model._keep_precision(weights).eval()

    def _load(self, found: dict[str, Tensor], whose: str) -> None:
        """Take over weights, all of them and nothing else."""
        wanted = self.state_dict()
        both = sorted(set(wanted) & set(found))
        wrong = {
            "missing": sorted(set(wanted) - set(found)),
            "unexpected": sorted(set(found) - set(wanted)),
            "of another shape": [
                f"{k} {tuple(found[k].shape)}, expected {tuple(wanted[k].shape)}"
                for k in both
                if wanted[k].shape != found[k].shape
            ],
            "of another kind": [
                f"{k} {found[k].dtype}, expected {wanted[k].dtype}"
                for k in both
                if wanted[k].is_floating_point() != found[k].is_floating_point()
            ],
        }
        if any(wrong.values()):
            told = "; ".join(f"{what}: {', '.join(keys)}" for what, keys in wrong.items() if keys)
            raise ReadError(f"{whose} do not fit the configuration: {told}.")
        self.load_state_dict(found)

    @torch.no_grad()
    def _answer(self, batch: dict[str, Tensor]) -> Tensor:
        """Respond in evaluation mode."""
        return self.eval().respond(batch)

    def _compare(self, golden: dict[str, Tensor], place: Path) -> None:
        """Refuse to be another model than the one that was saved."""
        expected = golden.pop("output", torch.empty(0))
        try:
            found = self._answer({k.removeprefix("input."): v for k, v in golden.items()})
        except (ValueError, LookupError, RuntimeError, TypeError, AttributeError) as error:
            raise ReadError(f"{place / storage.GOLDEN} cannot be answered: {error!r}.") from error
        if found.shape != expected.shape:
            told = f"shape {tuple(found.shape)}, stored {tuple(expected.shape)}"
        else:
            found, expected = found.double(), expected.double()
            # Small outputs would all be the same to an absolute tolerance.
            absolute = TOLERANCE * min(1.0, float(expected.abs().max()))
            if torch.allclose(found, expected, TOLERANCE, absolute, equal_nan=True):
                return
            told = f"differs by up to {float((found - expected).abs().max()):.2g}"
        raise ReadError(
            f"The model in {place} does not answer its stored input as it did when it was saved "
            f"(output {told}). Its weights were changed, or this version of neurokit computes "
            "something else; see environment.json for the one that wrote it."
        )

    def _keep_precision(self, found: dict[str, Tensor]) -> Self:
        """Give parameters the precision that they were saved in."""
        for name, tensor in self.state_dict(keep_vars=True).items():
            if tensor.dtype != found[name].dtype:
                tensor.data = found[name].clone()
        return self

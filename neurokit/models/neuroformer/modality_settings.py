"""What a Neuroformer knows of each stream that it sees beside the spikes."""

from __future__ import annotations

import math
from dataclasses import dataclass

from neurokit import arguments
from neurokit.errors import DataError
from neurokit.models.neuroformer.presets import LAYERS
from neurokit.windows.spike_tokens import RESERVED

__all__ = ["Modality", "modality_of"]

KINDS = ("variables", "frames")


@dataclass(frozen=True)
class Modality:
    """What is seen beside the spikes: a stimulus, behaviour, or field potentials.

    Parameters
    ----------
    name : str
        Under which windows have it.
    kind : {"variables", "frames"}
        Series of variables, of which each sample is a token; or frames of a video, which are cut
        into patches.
    n_samples : int
        Samples, or frames, a window.
    n_variables : int
        Of ``"variables"``, in z-scores.
    frame_shape : tuple of int
        Of ``"frames"``: rows, columns, and colours where there are several.
    patch : tuple of int
        Frames, rows and columns of a patch. Paper: 3, 5 and 5. Frames that it does not divide
        are padded with zeros.
    layers : int
        Fusion blocks that read it. Paper: 8 for stimuli, 0 or 2 for behaviour.
    encoder_layers : int
        Of ``"frames"``: blocks of self-attention among patches of the same time, before fusion.
    variables : tuple of str
        Names of the variables, which windows must then have in this order. Empty: names are not
        checked.

    Examples
    --------
    >>> Modality("stimulus", "frames", n_samples=6, frame_shape=(30, 100)).n_tokens
    240
    """

    name: str
    kind: str = "variables"
    n_samples: int = 1
    n_variables: int = 1
    frame_shape: tuple[int, ...] = ()
    patch: tuple[int, ...] = (3, 5, 5)
    layers: int = 1
    encoder_layers: int = 1
    variables: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if arguments.text("name", self.name) in RESERVED or "." in self.name or not self.name:
            raise DataError(f"A modality cannot be called {self.name!r}.")
        arguments.known(f"The kind of {self.name}", self.kind, KINDS)
        for name in ("n_samples", "n_variables", "layers"):
            arguments.whole(f"{name} of {self.name}", getattr(self, name), least=1)
        arguments.whole(f"encoder_layers of {self.name}", self.encoder_layers, least=0)
        for name in ("frame_shape", "patch"):
            sizes = (arguments.whole(name, n, least=1) for n in getattr(self, name))
            object.__setattr__(self, name, tuple(sizes))
        names = tuple(arguments.name_list(f"variables of {self.name}", self.variables))
        object.__setattr__(self, "variables", names)
        if names and (self.kind == "frames" or len(set(names)) != self.n_variables):
            raise DataError(
                f"{self.name} has {self.n_variables} variables and the names {names}. Give each "
                "one of its own, and frames none."
            )
        if self.kind == "frames" and (len(self.frame_shape) not in (2, 3) or len(self.patch) != 3):
            raise DataError(
                f"Expected frame_shape (rows, columns) of {self.name}, or (rows, columns, colours),"
                f" and a patch of (frames, rows, columns); got {self.frame_shape} and {self.patch}."
            )

    @property
    def grid(self) -> tuple[int, ...]:
        """Tokens along time, and for frames along rows and columns."""
        if self.kind == "variables":
            return (self.n_samples,)
        extent = (self.n_samples, *self.frame_shape[:2])
        return tuple(-(-n // p) for n, p in zip(extent, self.patch, strict=True))

    @property
    def n_tokens(self) -> int:
        """Tokens a window."""
        return math.prod(self.grid)

    @property
    def shape(self) -> tuple[int, ...]:
        """Samples and values of a window, as batches have them."""
        return (
            self.n_samples,
            *((self.n_variables,) if self.kind == "variables" else self.frame_shape),
        )


def modality_of(
    name: str,
    shape: tuple[int, ...],
    known: tuple[Modality, ...],
    preset: str,
    variables: tuple[str, ...] = (),
) -> Modality:
    """Describe a stream by what a window has of it.

    Parameters
    ----------
    name : str
        Of the stream.
    shape : tuple of int
        Samples and variables, or frames, rows and columns.
    known : tuple of Modality
        Of the preset; layers and patches are those of the first of the kind.
    preset : str
        For the layers of a kind that it has none of.
    variables : tuple of str
        Names of the variables.

    Returns
    -------
    Modality
        For the configuration.

    Examples
    --------
    >>> modality_of("speed", (30, 1), (), "tiny").shape
    (30, 1)
    """
    kind = "variables" if len(shape) == 2 else "frames"
    like = next((m for m in known if m.kind == kind), None)
    layers = LAYERS[preset] if like is None else like.layers
    if kind == "variables":
        return Modality(name, kind, shape[0], shape[1], layers=layers, variables=variables)
    return Modality(
        name, kind, shape[0], frame_shape=shape[1:], patch=_patch(like, shape), layers=layers
    )


def _patch(like: Modality | None, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return a patch that is no larger than the video."""
    wanted = (3, 5, 5) if like is None else like.patch
    return tuple(min(p, n) for p, n in zip(wanted, shape, strict=False))

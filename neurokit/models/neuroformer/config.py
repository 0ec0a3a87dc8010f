"""What a Neuroformer is made of."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Self

from neurokit import arguments
from neurokit.errors import DataError
from neurokit.models.neuroformer.presets import LAYERS, PRESETS
from neurokit.models.nn.settings import preset_settings

__all__ = ["Modality", "NeuroformerConfig"]

KINDS = ("variables", "frames")
RESERVED = ("id", "step", "past_id", "past_step", "target", "recording", "start", "trial")


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


@dataclass(frozen=True)
class NeuroformerConfig:
    """Settings of :class:`~neurokit.models.Neuroformer` (Antoniades et al., ICLR 2024).

    Parameters
    ----------
    n_units : int
        Units of the vocabulary. Paper: 300 to 2,023.
    dt : float
        Seconds a step of time. Paper: 0.01; 0.1 for the simulated networks.
    length : float
        Seconds of the current window, whose spikes are predicted. Paper: 0.05; 0.5.
    history : float
        Seconds of the past window before it. Paper: 0.15 or 0.25; 19.5.
    vocabulary : tuple of (str, int)
        Session and id of each unit; windows must then have the same. Empty: not checked.
    width : int
        Features of a token. Paper: 256.
    n_heads : int
        Attention heads. Paper: 8.
    state_layers : int
        Blocks of causal self-attention over the current spikes, before fusion. Paper: 4 to 12.
    history_layers : int
        Blocks of causal self-attention and cross-attention to the past. Paper: 4 to 12. With 0
        the past is not read.
    final_layers : int
        Blocks of causal self-attention after fusion. Paper: 8 for the random network; the other
        configurations tell none.
    modalities : tuple of Modality
        What is read beside the past, in this order.
    targets : tuple of str
        Names of behavioural variables that are read out.
    target_classes : int
        With 0, targets are regressed (mean squared error). Else `target_range` is cut into so
        many bins of one width, which are classified (cross-entropy).
    target_range : tuple of float
        Lowest and highest value of targets; values beyond count to the outer bins.
    contrastive : float
        Share of the contrastive loss. Paper: 0.25; with 0 there is none.
    joint_width : int
        Features of the space in which modalities are compared.
    temperature : float
        Of the contrastive loss. Released code: 0.5; 0.25 in its older configurations.
    id_share : float
        Share of the units' cross-entropy in the spikes' loss, steps having the rest. Paper: 0.6.
    step_given_id : bool
        Whether the step is predicted from the unit, too, which in generation is drawn first. In
        the released code the two are independent given the tokens before.
    n_positions : int
        Places in a window, and in the past counted back from the window, that have a vector of
        their own; all beyond share the last.
    dropout : float
        Of embeddings, attention weights, and of what blocks add. Paper: 0.2 to 0.35.
    seed : int
        Of the initial weights.

    Examples
    --------
    >>> config = NeuroformerConfig.preset("tiny", n_units=60, dt=0.005)
    >>> config.n_steps, config.n_ids
    (10, 63)
    """

    n_units: int = 386
    dt: float = 0.01
    length: float = 0.05
    history: float = 0.25
    vocabulary: tuple[tuple[str, int], ...] = ()
    width: int = 256
    n_heads: int = 8
    state_layers: int = 8
    history_layers: int = 8
    final_layers: int = 0
    modalities: tuple[Modality, ...] = ()
    targets: tuple[str, ...] = ()
    target_classes: int = 0
    target_range: tuple[float, float] = (-3.0, 3.0)
    contrastive: float = 0.0
    joint_width: int = 128
    temperature: float = 0.5
    id_share: float = 0.6
    step_given_id: bool = False
    n_positions: int = 256
    dropout: float = 0.2
    seed: int = 0

    def __post_init__(self) -> None:
        self._settle_tuples()
        for name in ("n_units", "width", "n_heads", "joint_width", "n_positions"):
            arguments.whole(name, getattr(self, name), least=1)
        for name in ("state_layers", "history_layers", "final_layers", "target_classes", "seed"):
            arguments.whole(name, getattr(self, name), least=0)
        for name in ("dt", "length", "history"):
            arguments.positive(f"{name} (s)", getattr(self, name))
        arguments.positive("temperature", self.temperature)
        arguments.instance("step_given_id", self.step_given_id, bool, "True or False")
        for name in ("dropout", "contrastive", "id_share"):
            if not 0 <= arguments.number(name, getattr(self, name)) < 1:
                raise DataError(f"{name} is {getattr(self, name)}, expected 0 or more, below 1.")
        self._check_sizes()
        self._check_parts()

    def _settle_tuples(self) -> None:
        """Make tuples of lists, which is what a file of settings holds."""
        words = tuple((str(session), int(unit)) for session, unit in self.vocabulary)
        object.__setattr__(self, "vocabulary", words)
        for name in ("modalities", "target_range"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        targets = tuple(arguments.name_list("targets", self.targets))
        object.__setattr__(self, "targets", targets)

    def _check_sizes(self) -> None:
        if self.width % self.n_heads or self.width % 2:
            raise DataError(
                f"width is {self.width}, expected an even number that divides into "
                f"{self.n_heads} heads."
            )
        for name in ("length", "history"):
            steps = getattr(self, name) / self.dt
            if round(steps) < 1 or abs(steps - round(steps)) > 1e-6 * steps:
                raise DataError(
                    f"{name} is {getattr(self, name):g} s, {steps:g} steps of {self.dt:g} s. "
                    "Expected whole steps."
                )
        if not self.state_layers + self.history_layers + self.final_layers:
            raise DataError("A Neuroformer needs at least one layer.")

    def _check_parts(self) -> None:
        if self.vocabulary and len(set(self.vocabulary)) != self.n_units:
            raise DataError(
                f"The vocabulary has {len(set(self.vocabulary))} different units, but n_units is "
                f"{self.n_units}."
            )
        names = [modality.name for modality in self.modalities]
        if len(set(names)) < len(names):
            raise DataError(f"The modalities are called {names}, expected a name once.")
        if self.contrastive and not names:
            raise DataError("The contrastive loss compares spikes with modalities. Give some.")
        low, high = (arguments.number("target_range", value) for value in self.target_range)
        if self.target_classes == 1 or not low < high:
            raise DataError(
                f"Expected at least 2 target_classes in a range; got {self.target_classes} from "
                f"{low:g} to {high:g}."
            )

    @classmethod
    def preset(cls, name: str, **changes: Any) -> Self:
        """Return one of the named settings.

        Parameters
        ----------
        name : {"tiny", "v1al", "visnav_medial", "visnav_lateral", "hub", "random_network"}
            Those of the paper's data sets, and one that trains on a CPU within a minute.
        **changes
            Settings that differ from it.

        Returns
        -------
        NeuroformerConfig
            The settings.

        Raises
        ------
        UnknownNameError
            An unknown preset or setting.

        Examples
        --------
        >>> NeuroformerConfig.preset("visnav_medial").n_units
        1906
        """
        settings = preset_settings(cls, PRESETS, name, changes)
        if "modalities" not in changes:
            settings["modalities"] = tuple(Modality(**m) for m in settings.get("modalities", ()))
        return cls(**settings)

    @classmethod
    def of(cls, win: Any, preset: str = "tiny", **changes: Any) -> Self:
        """Return settings that fit windows of spikes.

        Parameters
        ----------
        win : SpikeWindows
            Whose vocabulary, durations, streams and targets are taken over.
        preset : str
            For all else, see :meth:`preset`. Each stream gets as many layers as the preset has
            for one of its kind.
        **changes
            Settings that differ.

        Returns
        -------
        NeuroformerConfig
            The settings.

        Examples
        --------
        >>> import neurokit as nk
        >>> rec = nk.Recording.from_spikes([0.1, 0.4, 0.7], [3, 5, 3], duration=1.0)
        >>> win = nk.windows.spike_windows(rec, length=0.1, history=0.1)
        >>> config = NeuroformerConfig.of(win, width=32)
        >>> config.n_units, config.n_steps, config.vocabulary
        (2, 10, (('', 3), ('', 5)))
        """
        arguments.like("win", win, "vocabulary", "windows of spikes, see nk.windows.spike_windows")
        base = cls.preset(preset)
        found = {
            "vocabulary": tuple(win.vocabulary),
            "n_units": len(win.vocabulary),
            **{name: float(getattr(win, name)) for name in ("dt", "length", "history")},
            "modalities": tuple(
                _modality(name, win.sizes[name], base.modalities, preset) for name in win.beside
            ),
            "targets": tuple(win.target_names),
        }
        return cls.preset(preset, **{**found, **changes})

    @property
    def n_steps(self) -> int:
        """Steps of the current window."""
        return round(self.length / self.dt)

    @property
    def n_past_steps(self) -> int:
        """Steps of the past window."""
        return round(self.history / self.dt)

    @property
    def n_ids(self) -> int:
        """Tokens of units, with those that are none: padding, start and end."""
        return self.n_units + 3

    def grown(self, vocabulary: Any) -> Self:
        """Return the settings with more units.

        Parameters
        ----------
        vocabulary : Vocabulary or sequence of (str, int)
            Of which the first are those that the settings have.

        Returns
        -------
        NeuroformerConfig
            The settings.

        Raises
        ------
        DataError
            Units that are left out, or have another place.

        Examples
        --------
        >>> NeuroformerConfig(n_units=1, vocabulary=(("", 4),)).grown([("", 4), ("b", 4)]).n_units
        2
        """
        words = tuple((str(session), int(unit)) for session, unit in vocabulary)
        if len(words) < self.n_units or words[: len(self.vocabulary)] != self.vocabulary:
            raise DataError(
                f"Expected the {self.n_units} units of this model, then new ones; got {len(words)} "
                "that do not begin with them. Try Vocabulary(model.config.vocabulary).extend(recs)."
            )
        return replace(self, n_units=len(words), vocabulary=words)


def _modality(
    name: str, shape: tuple[int, ...], known: tuple[Modality, ...], preset: str
) -> Modality:
    """Describe a stream by what a window has of it."""
    kind = "variables" if len(shape) == 2 else "frames"
    like = next((m for m in known if m.kind == kind), None)
    layers = LAYERS[preset] if like is None else like.layers
    if kind == "variables":
        return Modality(name, kind, shape[0], shape[1], layers=layers)
    return Modality(
        name, kind, shape[0], frame_shape=shape[1:], patch=_patch(like, shape), layers=layers
    )


def _patch(like: Modality | None, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return a patch that is no larger than the video."""
    wanted = (3, 5, 5) if like is None else like.patch
    return tuple(min(p, n) for p, n in zip(wanted, shape, strict=False))

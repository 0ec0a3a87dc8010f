"""What a Neuroformer is made of."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Self

from neurokit import arguments
from neurokit.errors import DataError
from neurokit.models.neuroformer.labels import UNKNOWN_RANGE, known_of, positions_of, ranges
from neurokit.models.neuroformer.modality_settings import Modality, modality_of
from neurokit.models.neuroformer.presets import PRESETS
from neurokit.models.nn.settings import preset_settings
from neurokit.recording import Recording

__all__ = ["Modality", "NeuroformerConfig"]


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
    target_range : tuple of tuple of float
        Lowest and highest value of each target, ``(low, high)``, or of all alike; values beyond
        count to the outer bins. :meth:`of` takes them from the windows.
    target_mean, target_spread : tuple of float
        Of each target, its mean and its standard deviation, in which the error of regression
        is counted. :meth:`of` takes them from the windows. Empty: 0 and 1.
    target_units : tuple of str
        Unit of each target, which windows must then have, too; an empty one is not compared.
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
    target_range: tuple[tuple[float, float], ...] = (UNKNOWN_RANGE,)
    target_mean: tuple[float, ...] = ()
    target_spread: tuple[float, ...] = ()
    target_units: tuple[str, ...] = ()
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
        several = ("n_units", "width", "n_heads", "joint_width", "n_positions")
        none = ("state_layers", "history_layers", "final_layers", "target_classes", "seed")
        for name in (*several, *none):
            count = arguments.whole(name, getattr(self, name), least=int(name in several))
            object.__setattr__(self, name, count)
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
        object.__setattr__(self, "modalities", tuple(self.modalities))
        object.__setattr__(self, "target_range", ranges(self.target_range))
        for name in ("target_mean", "target_spread"):
            object.__setattr__(self, name, arguments.number_list(name, getattr(self, name)))
        targets = tuple(arguments.name_list("targets", self.targets))
        object.__setattr__(self, "targets", targets)
        units = tuple(arguments.text("target_units", unit) for unit in self.target_units)
        object.__setattr__(self, "target_units", units)

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
        if self.target_classes == 1:
            raise DataError("target_classes is 1, expected at least 2, or 0 to regress.")
        if len(self.target_range) not in (1, len(self.targets)):
            raise DataError(
                f"target_range has {len(self.target_range)} ranges for {len(self.targets)} targets."
            )
        for name in ("target_mean", "target_spread", "target_units"):
            values = getattr(self, name)
            if len(values) not in (0, len(self.targets)):
                raise DataError(f"{name} has {len(values)} values for {len(self.targets)} targets.")
        if not all(spread > 0 for spread in self.target_spread):
            raise DataError(f"target_spread is {self.target_spread}, expected more than 0.")

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
            Those of training. Vocabulary, durations, streams and targets are taken over, with
            the mean and the spread of targets, or with ``target_classes`` their ranges; and if
            more than one in a hundred has more spikes than the preset has positions, there are
            enough for the other 99.
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
                modality_of(name, win.sizes[name], base.modalities, preset, win.variables[name])
                for name in win.beside
            ),
            "targets": tuple(win.target_names),
            "n_positions": max(base.n_positions, positions_of(win)),
        }
        settings = {**found, **changes}
        targets = tuple(arguments.name_list("targets", settings["targets"]))
        if targets and targets == found["targets"]:
            classes = settings.get("target_classes", base.target_classes)
            settings = {**known_of(win, classes), **settings}
        return cls.preset(preset, **settings)

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

    @property
    def target_ranges(self) -> tuple[tuple[float, float], ...]:
        """Lowest and highest value of each target."""
        shared = len(self.target_range) == 1
        return self.target_range * len(self.targets) if shared else self.target_range

    @property
    def target_scales(self) -> tuple[tuple[float, float], ...]:
        """Mean and standard deviation of each target, 0 and 1 where they are not known."""
        n = len(self.targets)
        mean, spread = self.target_mean or (0.0,) * n, self.target_spread or (1.0,) * n
        return tuple(zip(mean, spread, strict=True))

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
        if isinstance(vocabulary, Recording):
            raise DataError(
                "vocabulary is a Recording. Give nk.windows.Vocabulary(config.vocabulary)"
                ".extend(recording)."
            )
        words = tuple((str(session), int(unit)) for session, unit in vocabulary)
        if len(words) < self.n_units or words[: len(self.vocabulary)] != self.vocabulary:
            raise DataError(
                f"Expected the {self.n_units} units of this model, then new ones; got {len(words)} "
                "that do not begin with them. Try Vocabulary(model.config.vocabulary).extend(recs)."
            )
        return replace(self, n_units=len(words), vocabulary=words)

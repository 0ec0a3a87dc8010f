"""What a state subspace is made of."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from neurokit import arguments
from neurokit.errors import DataError, UnknownNameError
from neurokit.recording.schema import voltage_factor

__all__ = ["StateSubspaceConfig"]

BANDS = (1.0, 4.0, 8.0, 13.0, 30.0, 45.0)
FINE_BANDS = (*(float(hz) for hz in range(1, 14)), 16.0, 20.0, 25.0, 30.0, 36.0, 45.0)


@dataclass(frozen=True)
class StateSubspaceConfig:
    """Settings of :class:`~neurokit.models.StateSubspace`.

    Parameters
    ----------
    channels : tuple of str
        Names of the channels, in their order: connections belong to a montage.
    sampling_rate : float
        Of the windows, in Hz.
    window : float
        Seconds a window.
    units : str
        Of the windows: ``"V"``, ``"mV"``, ``"uV"`` or ``"nV"``.
    bands : tuple of float
        Borders, in Hz, of the bands in which channels are related to one another.
    fine_bands : tuple of float
        Borders, in Hz, of the bands that make the shape of each channel's spectrum.
    average_reference : bool
        Whether covariances are those of each channel less the average of all. A reference that
        all channels share relates each to each.
    ridge : float
        Share of the mean power that is added to each channel's, so that channels that are
        sums of others do not make a covariance singular.
    n_components : int
        Principal components from which the subspace is chosen.
    n_features : int
        Dimensions of the subspace. 32, as ``shrinkage``, is what folds inside the training
        subjects of EEGMAT chose.
    shrinkage : float
        How far the covariance of changes from one window to the next is taken for a sphere: 0
        trusts it, 1 does not use it at all.
    seed : int
        Of the weights before :meth:`StateSubspace.fit`.

    Examples
    --------
    >>> StateSubspaceConfig(("C3", "C4"), sampling_rate=128, window=5).n_samples
    640
    """

    channels: tuple[str, ...]
    sampling_rate: float
    window: float
    units: str = "V"
    bands: tuple[float, ...] = BANDS
    fine_bands: tuple[float, ...] = FINE_BANDS
    average_reference: bool = True
    ridge: float = 0.02
    n_components: int = 200
    n_features: int = 32
    shrinkage: float = 0.8
    seed: int = 0

    def __post_init__(self) -> None:
        if not arguments.name_list("channels", self.channels):
            raise DataError("channels is empty. Give the names of the channels.")
        for name in ("sampling_rate", "window", "ridge"):
            arguments.positive(name, getattr(self, name))
        if voltage_factor(arguments.text("units", self.units)) is None:
            raise UnknownNameError("unit", self.units, ("V", "mV", "uV", "nV"))
        arguments.whole("n_features", self.n_features, least=1)
        arguments.whole("n_components", self.n_components, least=self.n_features)
        if not 0 <= arguments.number("shrinkage", self.shrinkage) <= 1:
            raise DataError(f"shrinkage is {self.shrinkage}, expected 0 to 1.")
        arguments.instance("average_reference", self.average_reference, bool, "True or False")
        self._check_bands("bands")
        self._check_bands("fine_bands")

    def _check_bands(self, name: str) -> None:
        edges = [arguments.number(f"a border of {name} (Hz)", hz) for hz in getattr(self, name)]
        finest = 1 / self.window
        if len(edges) < 2 or any(b - a < finest for a, b in pairwise(edges)):
            raise DataError(
                f"{name} is {tuple(edges)}, expected rising borders at least {finest:g} Hz apart, "
                f"which is what windows of {self.window:g} s resolve."
            )
        if edges[0] <= 0 or edges[-1] > self.sampling_rate / 2:
            raise DataError(
                f"{name} reach from {edges[0]:g} to {edges[-1]:g} Hz, expected more than 0 and not "
                f"above {self.sampling_rate / 2:g} Hz, half the sampling rate."
            )

    @property
    def n_samples(self) -> int:
        """Samples a window."""
        return round(self.window * self.sampling_rate)

    @property
    def block_sizes(self) -> tuple[int, int]:
        """How many values the spectra have, and how many the covariances."""
        n = len(self.channels)
        return n * (len(self.fine_bands) - 1), n * (n + 1) // 2 * (len(self.bands) - 1)

"""What a latent future predictor is made of."""

from __future__ import annotations

from dataclasses import dataclass

from neurokit import arguments
from neurokit.errors import DataError

__all__ = ["FuturePredictorConfig"]


@dataclass(frozen=True)
class FuturePredictorConfig:
    """Settings of :class:`~neurokit.models.FuturePredictor`.

    Parameters
    ----------
    n_latents : int
        Latents of a frame, as the frozen encoder gives them.
    n_hidden : int
        Units of the dynamics.
    dynamics : {"lstm", "ctrnn"}
        Gated units, or a continuous-time network of leaky ones. The paper has both.
    context : int
        Frames that are seen before the model runs free. Paper: 7.
    time_constant : float
        Of the leaky units, in frames; 1 has no leak.
    seed : int
        Of the initial weights.

    Examples
    --------
    >>> FuturePredictorConfig(n_latents=64).context
    7
    """

    n_latents: int
    n_hidden: int = 128
    dynamics: str = "lstm"
    context: int = 7
    time_constant: float = 2.0
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("n_latents", "n_hidden", "context"):
            arguments.whole(name, getattr(self, name), least=1)
        arguments.whole("seed", self.seed, least=0)
        arguments.known("dynamics", self.dynamics, ("lstm", "ctrnn"))
        if arguments.number("time_constant (frames)", self.time_constant) < 1:
            raise DataError(f"time_constant is {self.time_constant} frames, expected 1 or more.")

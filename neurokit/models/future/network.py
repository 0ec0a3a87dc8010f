"""Recurrent dynamics that predict the next latent, and run free where nothing is seen."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from neurokit.errors import DataError
from neurokit.models.future.config import FuturePredictorConfig
from neurokit.models.nn import Pretrained

__all__ = ["FuturePredictor"]

State = tuple[Tensor, ...]


class FuturePredictor(Pretrained):
    """Mental simulation by latent future prediction (Nayebi et al. 2023, arXiv 2305.11772).

    A frozen encoder turns frames into latents (:func:`~neurokit.models.future.encode_frames`);
    recurrent dynamics h_t = f(h_{t-1}, z_t) predict the next one, ẑ_{t+1} = W h_t + b, and are
    trained by the mean squared error of that. Where a frame is not seen, the prediction takes
    the place of its latent: after ``context`` frames, or behind an occluder.

    Parameters
    ----------
    config : FuturePredictorConfig
        Settings.

    Examples
    --------
    >>> model = FuturePredictor(FuturePredictorConfig(n_latents=16, n_hidden=8))
    >>> latents = torch.zeros(2, 10, 16)
    >>> model.rollout(latents).shape
    torch.Size([2, 3, 16])
    """

    config_class = FuturePredictorConfig
    config: FuturePredictorConfig

    def __init__(self, config: FuturePredictorConfig) -> None:
        super().__init__(config)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            if config.dynamics == "lstm":
                self.dynamics: nn.Module = _LSTM(config.n_latents, config.n_hidden)
            else:
                self.dynamics = _CTRNN(config.n_latents, config.n_hidden, config.time_constant)
            self.readout = nn.Linear(config.n_hidden, config.n_latents)

    def forward(self, latents: Tensor, seen: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Predict each next latent.

        Parameters
        ----------
        latents : Tensor, shape (trial, time, latent)
            Of a film.
        seen : Tensor of bool, shape (trial, time), optional
            False where the model's own prediction takes the place of the latent, which is then
            not looked at. Without it every frame is seen. The first frame always is.

        Returns
        -------
        predictions : Tensor, shape (trial, time, latent)
            At each frame, of the next one.
        states : Tensor, shape (trial, time, hidden)
            Of the dynamics; what is mapped to neurons.

        Raises
        ------
        DataError
            Another shape.

        Examples
        --------
        >>> model = FuturePredictor(FuturePredictorConfig(n_latents=16, n_hidden=8))
        >>> predictions, states = model(torch.zeros(2, 10, 16))
        >>> predictions.shape, states.shape
        (torch.Size([2, 10, 16]), torch.Size([2, 10, 8]))
        """
        _check(latents, seen, self.config.n_latents)
        if seen is None or bool(seen.all()):
            states, _ = self.dynamics(latents, None)
            return self.readout(states), states
        state: State | None = None
        guess, found, guesses = latents[:, 0], [], []
        for now in range(latents.shape[1]):
            shown = latents[:, now]
            if now:
                shown = torch.where(seen[:, now, None], shown, guess)
            hidden, state = self.dynamics(shown[:, None], state)
            guess = self.readout(hidden[:, 0])
            found.append(hidden[:, 0])
            guesses.append(guess)
        return torch.stack(guesses, dim=1), torch.stack(found, dim=1)

    def example(self) -> dict[str, Tensor]:
        """Make a small batch, always the same one.

        Returns
        -------
        dict of Tensor
            ``latents`` of one trial.

        Examples
        --------
        >>> model = FuturePredictor(FuturePredictorConfig(n_latents=16, n_hidden=8))
        >>> model.example()["latents"].shape
        torch.Size([1, 8, 16])
        """
        shape = (1, self.config.context + 1, self.config.n_latents)
        return {"latents": torch.linspace(0, 20, math.prod(shape)).sin().view(shape)}

    def respond(self, batch: dict[str, Tensor]) -> Tensor:
        """Predict each next latent; stored with the model, and compared on load.

        Parameters
        ----------
        batch : dict of Tensor
            ``latents`` (trial, time, latent).

        Returns
        -------
        Tensor, shape (trial, time, latent)
            Predictions.

        Examples
        --------
        >>> model = FuturePredictor(FuturePredictorConfig(n_latents=16, n_hidden=8))
        >>> model.respond(model.example()).shape
        torch.Size([1, 8, 16])
        """
        return self(batch["latents"])[0]

    @torch.no_grad()
    def rollout(self, latents: Tensor) -> Tensor:
        """See the context, then simulate the rest of the film.

        Parameters
        ----------
        latents : Tensor, shape (trial, time, latent)
            Of a film; what comes after the context gives the length alone.

        Returns
        -------
        Tensor, shape (trial, time - context, latent)
            Predictions of the frames after the context.

        Raises
        ------
        DataError
            A film that is not longer than the context.

        Examples
        --------
        >>> model = FuturePredictor(FuturePredictorConfig(n_latents=16, n_hidden=8, context=4))
        >>> model.rollout(torch.zeros(2, 10, 16)).shape
        torch.Size([2, 6, 16])
        """
        n = self.config.context
        if latents.ndim != 3 or latents.shape[1] <= n:
            raise DataError(
                f"Expected latents of shape (trial, time, latent) with more than {n} frames, the "
                f"context; got {tuple(latents.shape)}."
            )
        seen = torch.zeros(latents.shape[:2], dtype=torch.bool, device=latents.device)
        seen[:, :n] = True
        return self(latents, seen)[0][:, n - 1 : -1]

    def loss(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Compute what training minimises.

        Parameters
        ----------
        batch : dict of Tensor
            ``latents`` (trial, time, latent).

        Returns
        -------
        dict of Tensor
            ``loss``, the mean squared error of the next latent; ``copy_last``, that of taking
            the last one for the next, to compare with.

        Examples
        --------
        >>> model = FuturePredictor(FuturePredictorConfig(n_latents=16, n_hidden=8))
        >>> sorted(model.loss({"latents": torch.zeros(2, 10, 16)}))
        ['copy_last', 'loss']
        """
        latents = batch["latents"]
        predictions, _ = self(latents[:, :-1])
        following = latents[:, 1:]
        return {
            "loss": F.mse_loss(predictions.float(), following),
            "copy_last": F.mse_loss(latents[:, :-1], following),
        }


class _LSTM(nn.Module):
    """Gated units (Hochreiter & Schmidhuber 1997)."""

    def __init__(self, n_in: int, n_hidden: int) -> None:
        super().__init__()
        self.cell = nn.LSTM(n_in, n_hidden, batch_first=True)

    def forward(self, x: Tensor, state: State | None) -> tuple[Tensor, State]:
        return self.cell(x, state)


class _CTRNN(nn.Module):
    """Leaky units, h ← (1 - 1/τ) h + (1/τ) tanh(W h + U x + b)."""

    def __init__(self, n_in: int, n_hidden: int, time_constant: float) -> None:
        super().__init__()
        self.rate = 1 / time_constant
        self.inward = nn.Linear(n_in, n_hidden)
        self.recurrent = nn.Linear(n_hidden, n_hidden, bias=False)
        nn.init.orthogonal_(self.recurrent.weight)

    def forward(self, x: Tensor, state: State | None) -> tuple[Tensor, State]:
        drive = self.inward(x)
        hidden = torch.zeros_like(drive[:, 0]) if state is None else state[0]
        course = []
        for now in drive.unbind(dim=1):
            target = torch.tanh(self.recurrent(hidden) + now)
            hidden = hidden + self.rate * (target - hidden)
            course.append(hidden)
        return torch.stack(course, dim=1), (hidden,)


def _check(latents: Tensor, seen: Tensor | None, n_latents: int) -> None:
    """Refuse latents and masks that do not fit."""
    if latents.ndim != 3 or latents.shape[-1] != n_latents or not latents.numel():
        raise DataError(
            f"Expected latents of shape (trial, time, {n_latents}); got {tuple(latents.shape)}."
        )
    if seen is not None and (seen.shape != latents.shape[:2] or seen.dtype != torch.bool):
        raise DataError(
            f"Expected seen of bool and shape {tuple(latents.shape[:2])}; got {seen.dtype} of "
            f"shape {tuple(seen.shape)}."
        )

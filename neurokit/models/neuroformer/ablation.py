"""What each input is worth: the same model trained while it sees nothing of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import torch
import xarray as xr

from neurokit import arguments
from neurokit.errors import DataError
from neurokit.models.neuroformer.blinding import PAST, Blinded
from neurokit.models.neuroformer.blocks import blocks_of, ratio_interval
from neurokit.models.neuroformer.config import NeuroformerConfig
from neurokit.models.neuroformer.likelihood import window_likelihood
from neurokit.models.neuroformer.network import Neuroformer
from neurokit.windows import assert_disjoint

__all__ = ["run_ablation"]


def run_ablation(
    config: NeuroformerConfig,
    splits: Iterable[tuple[Any, Any]],
    train: Callable[[Neuroformer, Any], object],
    *,
    block: float = 10.0,
    n_bootstrap: int = 1000,
    batch_size: int = 64,
    device: str | torch.device = "auto",
    seed: int = 0,
) -> xr.Dataset:
    """Train a model with all inputs, and once without each, and score held-out spikes.

    All models are of one size and start from the same weights; one that is to do without an input
    sees the same value of it at all times, in training as in scoring. (Layers that are left out
    along with an input are missed even if it told nothing.) What an input is worth is what it
    brings in the presence of the others: two that tell the same are both worth little.

    Parameters
    ----------
    config : NeuroformerConfig
        With all inputs.
    splits : iterable of (train, test)
        Spike windows, such as ``nk.windows.split_contiguous`` yields.
    train : callable
        Trains the model that it is given on the windows that it is given. Where its result is
        a matter of luck, repeat with several seeds in ``config`` and in ``train``.
    block : float
        Seconds of the stretches that are drawn anew for the interval.
    n_bootstrap : int
        Draws.
    batch_size : int
        Windows at a time, in scoring.
    device : str or torch.device
        Where scores are computed.
    seed : int
        Of the draws.

    Returns
    -------
    Dataset
        By ``inputs``: ``"all"``, ``"no past"``, and ``"no "`` each modality. ``loss``, nats a
        token, also by ``split``; ``mean_loss`` over all tokens. ``gain``, how many bits a spike
        the input that is left out brings, which is 0 for ``"all"``, ``low`` and ``high``, its
        95 % interval over stretches of time, ``gain_of_split`` by ``split``, and ``gain_of_block``
        by ``block``.

    Raises
    ------
    DataError
        No split, train and test windows that share spikes, or a model without inputs to leave
        out.

    Examples
    --------
    >>> import neurokit as nk
    >>> time = np.sort(np.random.default_rng(0).uniform(0, 60, 600))
    >>> rec = nk.Recording.from_spikes(time, np.arange(600) % 3, duration=60)
    >>> win = nk.windows.spike_windows(rec, length=0.1, history=0.2)
    >>> def train(model, win):
    ...     nk.training.fit(model, win, epochs=1, batch_size=64, lr=1e-3, progress=False)
    >>> config = nk.models.NeuroformerConfig.of(win, width=16)
    >>> found = run_ablation(config, nk.windows.split_contiguous(win, 2), train, n_bootstrap=10)
    >>> found["inputs"].values.tolist(), found.sizes["split"]
    (['all', 'no past'], 2)
    """
    arguments.instance("train", train, Callable, "a function of a model and windows")  # type: ignore[arg-type]
    arguments.instance("config", config, NeuroformerConfig, "settings, such as model.config")
    gone = [*([PAST] if config.history_layers else []), *(m.name for m in config.modalities)]
    if not gone:
        raise DataError("The model reads neither a past nor modalities: nothing can be left out.")
    scores: list[xr.Dataset] = []
    blocks: list[np.ndarray] = []
    split: list[np.ndarray] = []
    for k, pair in enumerate(splits):
        if not isinstance(pair, tuple | list) or len(pair) != 2:
            raise DataError(
                "Expected splits to be pairs of windows to train and to score on; got "
                f"{type(pair).__name__}. Give a single pair as [(train, test)]."
            )
        known, held_out = pair
        assert_disjoint(known, held_out)
        pairs = [(known, held_out), *((Blinded(known, g), Blinded(held_out, g)) for g in gone)]
        each = []
        for seen, asked in pairs:
            model = Neuroformer(config)
            train(model, seen)
            each.append(window_likelihood(model, asked, batch_size=batch_size, device=device))
        scores.append(xr.concat(each, "inputs"))
        first = blocks[-1].max() + 1 if blocks else 0
        blocks.append(first + blocks_of(held_out, block))
        split.append(np.full(len(held_out), k))
    if not scores:
        raise DataError("There is no split to train and to score on.")
    names = ["all", *(f"no {name}" for name in gone)]
    found = xr.concat(scores, "window").assign_coords(inputs=names)
    out = _summary(found, np.concatenate(blocks), np.concatenate(split), n_bootstrap, seed)
    return out.assign_attrs(block=block, n_bootstrap=n_bootstrap, seed=seed)


def _summary(
    found: xr.Dataset, block: np.ndarray, split: np.ndarray, n_bootstrap: int, seed: int
) -> xr.Dataset:
    """Sum up scores (inputs, window) over splits, blocks and all windows."""
    spikes = found["n_spikes"].values[0].astype(np.float64)
    tokens = found["n_tokens"].values[0].astype(np.float64)
    loss = found["token_loss"].values
    likelihood = found["log_likelihood"].values
    lost = (likelihood[:1] - likelihood) / np.log(2)
    low, high = ratio_interval(lost, spikes, block, n_bootstrap, seed)
    by_split, by_block = np.eye(split.max() + 1)[split], np.eye(block.max() + 1)[block]
    with np.errstate(invalid="ignore"):
        each_block = lost @ by_block / (spikes @ by_block)
    return xr.Dataset(
        {
            "loss": (("inputs", "split"), loss @ by_split / (tokens @ by_split), {"units": "nat"}),
            "mean_loss": ("inputs", loss.sum(axis=1) / tokens.sum(), {"units": "nat"}),
            "gain": ("inputs", lost.sum(axis=1) / spikes.sum(), {"units": "bit"}),
            "low": ("inputs", low),
            "high": ("inputs", high),
            "gain_of_split": (("inputs", "split"), lost @ by_split / (spikes @ by_split)),
            "gain_of_block": (("inputs", "block"), each_block),
        },
        {"inputs": found["inputs"]},
        {"n_windows": split.size, "n_spikes": int(spikes.sum())},
    )

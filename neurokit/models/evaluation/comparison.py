"""A model beside what it must beat."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
import torch
import xarray as xr
from numpy.typing import ArrayLike

from neurokit.errors import DataError
from neurokit.models.evaluation.baselines import (
    band_power,
    patch_words,
    random_weights,
    raw_features,
)
from neurokit.models.evaluation.probing import linear_probe, subjects_of
from neurokit.models.evaluation.representations import encode
from neurokit.models.nn.pretrained import Pretrained

__all__ = ["compare"]


def compare(
    model: Pretrained,
    win: Any,
    y: ArrayLike | None = None,
    groups: ArrayLike | None = None,
    cv: int | Iterable[Any] = 5,
    *,
    device: str | torch.device = "auto",
    seed: int = 0,
    **options: Any,
) -> pd.DataFrame:
    """Probe a model beside what it must beat, in the same folds.

    Parameters
    ----------
    model : Pretrained
        With ``represent``. Whether it saw the test windows in its pretraining is for the
        caller to know: see :func:`linear_probe` for pretraining within folds.
    win : Windows
        Labelled, or with ``y``.
    y : array-like, shape (window,), optional
        The class of each window; by default the labels of ``win``.
    groups : array-like, shape (window,), optional
        As a rule, and by default where there are several subjects, ``win.groups("subject")``.
    cv : int or iterable of (train, test)
        See :func:`linear_probe`.
    device : str or torch.device
        Where the model runs.
    seed : int
        Of random weights, k-means and the bootstrap.
    **options
        Further ones of :func:`linear_probe`.

    Returns
    -------
    DataFrame
        A row for the model, for each of random weights, band power, raw features and k-means
        words, and for chance. Columns: ``auroc`` (mean over folds), the bounds ``low`` and
        ``high`` of its 95 % interval over groups, ``auroc_sd`` over folds, ``auprc``,
        ``balanced_accuracy``, ``n_windows`` and ``n_groups``.

    Examples
    --------
    >>> from neurokit.recording import Recording
    >>> from neurokit.windows import sliding
    >>> from neurokit.models.nn import Pretrained
    >>> from dataclasses import dataclass
    >>> @dataclass(frozen=True)
    ... class Nothing:
    ...     pass
    >>> class Power(Pretrained):
    ...     config_class = Nothing
    ...     def represent(self, batch):
    ...         return batch["x"].square().mean(1).log()
    >>> rng = np.random.default_rng(0)
    >>> recs = [Recording.from_array(rng.normal(size=(800, 2)) * (1 + k % 2), 20, units="uV",
    ...                              meta={"subject": k // 2, "run": k % 2}) for k in range(12)]
    >>> win = sliding(recs, stream="eeg", length=4, labels="run")
    >>> table = compare(Power(Nothing()), win, groups=win.groups("subject"), cv=3)
    >>> float(table.loc["Power", "auroc"]), float(table.loc["chance", "auroc"])
    (1.0, 0.5)
    """
    if y is None:
        y = win.labels
    if y is None:
        raise DataError("There are no labels: give y, or windows with labels.")
    rows: dict[str, Any] = {
        type(model).__name__: encode(model, win, device=device),
        "random weights": encode(random_weights(model, seed), win, device=device),
        "band power": band_power(win),
        "raw features": raw_features(win),
        "k-means words": patch_words(win, seed=seed),
    }
    if groups is None and isinstance(cv, int):
        # Words learnt within folds have no coordinates yet, and must be tested in the same ones.
        groups = subjects_of(rows["band power"])
    cv = cv if isinstance(cv, int) else list(cv)
    found = {k: linear_probe(z, y, groups, cv, seed=seed, **options) for k, z in rows.items()}
    table = pd.DataFrame({name: _row(probe) for name, probe in found.items()}).T
    chance = found["band power"]["chance"].to_series()
    table.loc["chance"] = {**chance, **table.iloc[0][["n_windows", "n_groups"]]}
    return table.astype({"n_windows": int, "n_groups": int})


def _row(found: xr.Dataset) -> dict[str, float]:
    auroc = found.sel(metric="auroc")
    means = found["mean"].to_series()
    return {
        "auroc": means["auroc"],
        "low": float(auroc["low"]),
        "high": float(auroc["high"]),
        "auroc_sd": float(auroc["score"].std(ddof=1)) if found.sizes["fold"] > 1 else np.nan,
        "auprc": means["auprc"],
        "balanced_accuracy": means["balanced_accuracy"],
        "n_windows": found.attrs["n_windows"],
        "n_groups": found.attrs["n_groups"],
    }

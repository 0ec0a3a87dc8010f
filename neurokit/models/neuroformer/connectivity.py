"""Who drives whom, read off a trained Neuroformer.

:func:`~neurokit.models.neuroformer.perturbation.perturbation_effects` puts a spike in and asks
how expectations change; :func:`~neurokit.models.neuroformer.unexplained.corrected_effects` adds
what the model's errors say it has not learnt; :func:`attention_per_pair` asks which past spikes
are read, as Antoniades et al. (ICLR 2024) did. Attention is no measure of an effect: a spike that
is read may change nothing, and it has no sign.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
import xarray as xr
from torch import Tensor

from neurokit import arguments
from neurokit.devices import find_device
from neurokit.models.neuroformer.perturbation import perturbation_effects
from neurokit.models.neuroformer.unexplained import corrected_effects
from neurokit.models.neuroformer.unit_pairs import double_centred, labelled_pairs, session_places
from neurokit.models.nn import evaluation_batches
from neurokit.windows.spike_tokens import FIRST

if TYPE_CHECKING:
    from neurokit.models.neuroformer.network import Neuroformer

__all__ = ["attention_per_pair", "estimate_connectivity"]


def estimate_connectivity(
    model: Neuroformer,
    win: Any,
    *,
    method: Literal["perturbation", "corrected", "attention"] = "perturbation",
    **settings: Any,
) -> xr.DataArray:
    """Estimate who drives whom.

    Parameters
    ----------
    model : Neuroformer
        Trained.
    win : SpikeWindows
        Of one session.
    method : {"perturbation", "corrected", "attention"}
        ``"perturbation"``: the change in the expected spikes of the target after one more spike
        of the source, see :func:`perturbation_effects`. ``"corrected"``: the same, plus what the
        model's errors say it has not learnt, see :func:`corrected_effects`. ``"attention"``: how
        much the target reads the source, see :func:`attention_per_pair`.
    **settings
        Of that function: ``batch_size``, ``device`` and ``progress`` of all; ``n_contexts`` and
        ``seed`` of the effects; ``centred`` of attention.

    Returns
    -------
    xr.DataArray
        Dims ``(target, source)``, unit ids as coordinates, NaN on the diagonal; the attributes
        say how it was obtained.

    Raises
    ------
    DataError
        Another method, windows of several sessions or that do not fit the model.

    Notes
    -----
    Areas under the ROC curve over ordered pairs, on simulated networks of ten minutes and 50 to
    60 units after a CPU minute of training at most, over three seeds; and of the lagged
    cross-correlation, which needs no model:

    ==================  ===========  ==========  ============  =========  =================
    network             attention    …, centred  perturbation  corrected  cross-correlation
    ==================  ===========  ==========  ============  =========  =================
    hubs                1.00         .94–1.00    1.00          1.00       1.00
    sparse, weak        .53–.69      .53–.82     .74–.85       1.00       1.00
    …, twice as long    .66–.76      .78–.89     .88–.97       1.00       1.00
    ==================  ===========  ==========  ============  =========  =================

    Perturbation and correction also have a unit and a sign. Perturbation is what the model
    knows: with random weights it is at chance (.47 to .51). The correction needs no model that
    knows anything: with random weights it finds .84 of the hubs' connections, .92 of strong and
    .88 to .92 of weak sparse ones, since what a model has not learnt is in its errors, from
    which it is read. So it tells of the data, and is no evidence of what a model has learnt; a
    weak network with a short training is what it is for.

    Examples
    --------
    >>> import neurokit as nk
    >>> rec = nk.Recording.from_spikes([0.11, 0.35, 0.62], [4, 7, 4], duration=1.0)
    >>> win = nk.windows.spike_windows(rec, length=0.1, history=0.2)
    >>> model = nk.models.Neuroformer(nk.models.NeuroformerConfig.of(win))
    >>> estimate_connectivity(model, win, n_contexts=7).attrs["method"]
    'perturbation'
    """
    return _METHODS[arguments.known("method", method, _METHODS)](model, win, **settings)


@torch.no_grad()
def attention_per_pair(
    model: Neuroformer,
    win: Any,
    *,
    centred: bool = True,
    batch_size: int = 256,
    device: str | torch.device = "auto",
    progress: bool | None = None,
) -> xr.DataArray:
    """Average how much predictions of each unit read past spikes of each other.

    The mean over heads and layers of the history's cross-attention, per co-occurrence: each
    pair of a spike in the past and a spike in the window counts once, with the attention of the
    place that predicts the latter. Plain sums would follow the units' rates.

    Parameters
    ----------
    model : Neuroformer
        Trained.
    win : SpikeWindows
        Of one session.
    centred : bool
        Subtract the means of targets and sources, so that what is left belongs to a pair: a
        spike that all predictions read says nothing of any one target.
    batch_size : int
        Windows at a time.
    device : str or torch.device
        Where to compute.
    progress : bool, optional
        Show a progress bar; by default on terminals alone.

    Returns
    -------
    xr.DataArray
        Dims ``(target, source)``, unit ids as coordinates, NaN on the diagonal. Pairs that never
        occurred together have 0.

    Raises
    ------
    DataError
        A model that reads no past, windows of several sessions or that do not fit the model.

    Examples
    --------
    >>> import neurokit as nk
    >>> rec = nk.Recording.from_spikes([0.11, 0.35, 0.62], [4, 7, 4], duration=1.0)
    >>> win = nk.windows.spike_windows(rec, length=0.1, history=0.2)
    >>> model = nk.models.Neuroformer(nk.models.NeuroformerConfig.of(win))
    >>> attention_per_pair(model, win, centred=False, device="cpu").shape
    (2, 2)
    """
    model.check(win)
    units, n, place = session_places(win), model.config.n_units, find_device(device)
    total = torch.zeros(2, n * n, device=place)
    for _, batch in evaluation_batches(
        model, win, batch_size=batch_size, device=place, progress=progress, desc="attention"
    ):
        _add_attention(total, model, batch)
    read, pairs = total.cpu().double().view(2, n, n)[:, units][:, :, units].numpy()
    mean = np.divide(read, pairs, out=np.full_like(read, np.nan), where=pairs > 0)
    values = double_centred(mean) if centred else np.nan_to_num(mean)
    facts = {"method": "attention", "centred": int(centred), "units": "attention per co-occurrence"}
    return labelled_pairs(values, win, units, **facts)


def _add_attention(total: Tensor, model: Neuroformer, batch: dict[str, Tensor]) -> None:
    """Add attention, and how often each pair occurred, to the sums over (target, source)."""
    attention = model.history_attention(batch).mean(dim=0)[:, :-1]
    target, source = batch["id"][:, 1:, None], batch["past_id"][:, None]
    both = (target >= FIRST) & (source >= FIRST)
    pair = ((target - FIRST) * model.config.n_units + source - FIRST)[both]
    read = attention[both]
    total[0].index_add_(0, pair, read)
    total[1].index_add_(0, pair, torch.ones_like(read))


_METHODS: dict[str, Callable[..., xr.DataArray]] = {
    "corrected": corrected_effects,
    "perturbation": perturbation_effects,
    "attention": attention_per_pair,
}

"""Fine-tuning of a network towards the similarities of a teacher that was aligned with people.

The second half of AligNet (Muttenthaler et al. 2025, Nature): a small number of human choices
shapes a teacher (:func:`~neurokit.alignment.fit_affine`), and the teacher's judgements of any
number of triplets shape a student.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import scipy.optimize
import torch
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from neurokit.alignment.affine import AffineMap, fit_affine
from neurokit.alignment.devices import place_for
from neurokit.alignment.matrices import finite_array
from neurokit.alignment.odd_one_out import (
    SIMILARITIES,
    check_probabilities,
    check_triplets,
    choice_probabilities,
)
from neurokit.alignment.students import (
    Inputs,
    divergence,
    embed_inputs,
    forward,
    n_inputs,
    triplet_similarities,
)
from neurokit.alignment.triplets import cluster_triplets
from neurokit.arguments import number, positive, whole
from neurokit.errors import DataError, UnknownNameError
from neurokit.progress import progress_bar

__all__ = ["Distilled", "alignet", "distil"]

LOSSES = ("kl", "jsd")


@dataclass(frozen=True)
class Distilled:
    """A student after training.

    Attributes
    ----------
    student : torch.nn.Module
        The trained copy; the module that was given is as it was.
    temperature : float
        Of the student's softmax, after training.
    history : Dataset
        ``loss`` (step,), the divergence from the teacher on each batch in nats, ``drift``
        (step,), the squared distance of the weights from their start, ``temperature`` (step,),
        and ``loss_before``, the divergence of the network as it was given.
    teacher_map : AffineMap or None
        The teacher's map, where :func:`alignet` fitted it.
    """

    student: torch.nn.Module
    temperature: float
    history: xr.Dataset
    teacher_map: AffineMap | None = None


def distil(
    student: torch.nn.Module,
    inputs: Inputs,
    triplets: ArrayLike,
    probabilities: ArrayLike,
    *,
    loss: str = "kl",
    similarity: str = "cosine",
    temperature: float | None = None,
    penalty: float = 0.01,
    learning_rate: float = 1e-3,
    batch_size: int = 256,
    n_epochs: int = 5,
    device: str = "auto",
    seed: int = 0,
    progress: bool | None = None,
) -> Distilled:
    """Fine-tune a copy of a network so that its odd-one-out choices become those of a teacher.

    Minimises, over triplets t, the mean of D(pₜ, softmax(sₜ / τ)) + penalty · ‖θ - θ₀‖², where
    p are the teacher's probabilities, s the student's similarities of the three pairs, and D is
    the Kullback–Leibler or the Jensen–Shannon divergence. The decay to the initial weights θ₀
    keeps what the network knew. Adam, with a learning rate that falls to zero along a cosine.

    The network stays in the mode it is in: in ``eval()`` mode, dropout stays off and the
    statistics of batch normalisation stay as they are. Parameters that require no gradient are
    left alone.

    Parameters
    ----------
    student : torch.nn.Module
        Maps a batch of inputs to features of shape (batch, feature).
    inputs : array-like, tensor or sequence, one entry an object
        What the network takes: arrays and tensors are cut along the first dimension and moved to
        the device; of any other sequence, such as texts, the network gets lists.
    triplets : array-like of int, shape (n, 3)
        Numbers of inputs.
    probabilities : array-like, shape (n, 3)
        The teacher's :func:`~neurokit.alignment.choice_probabilities` of these triplets.
    loss : str
        ``"kl"`` or ``"jsd"``.
    similarity : str
        Of the student: ``"cosine"`` or ``"dot"``.
    temperature : float, optional
        τ. By default it starts where the network, as it is, comes closest to the teacher, and
        is trained along.
    penalty : float
        Weight of the decay, 0 or more. It trades closeness to the teacher for what the network
        knew: compare dissimilarities before and after, e.g. with ``rsa.compare``.
    learning_rate : float
        At the start.
    batch_size : int
        Triplets in a batch; each object in it passes the network once.
    n_epochs : int
        Passes over the triplets.
    device : str
        ``"auto"``, or any that torch knows.
    seed : int
        Of the order of the triplets, and of what the network draws.
    progress : bool, optional
        Whether to show a bar; by default only in a terminal.

    Returns
    -------
    Distilled
        The trained copy and how it got there.

    Raises
    ------
    UnknownNameError, DataError
        Unknown words, triplets or probabilities that do not fit, a network without parameters
        to train or with another output, or a loss that is no longer finite.

    Examples
    --------
    >>> from neurokit.alignment import uniform_triplets
    >>> teacher = np.random.default_rng(0).standard_normal((20, 3))
    >>> triplets = uniform_triplets(20, 500)
    >>> soft = choice_probabilities(teacher, triplets)
    >>> out = distil(torch.nn.Linear(3, 3), teacher, triplets, soft, learning_rate=0.03)
    >>> bool(out.history.loss[-1] < out.history.loss_before)
    True
    """
    settings = _Settings(
        loss=_one_of("loss", loss, LOSSES),
        similarity=_one_of("similarity", similarity, SIMILARITIES),
        penalty=number("penalty", penalty),
        learning_rate=positive("learning_rate", learning_rate),
        batch_size=whole("batch_size", batch_size, least=1),
        n_epochs=whole("n_epochs", n_epochs, least=1),
        seed=seed,
    )
    if settings.penalty < 0:
        raise DataError(f"Expected a penalty of 0 or more; got {settings.penalty}.")
    rows = check_triplets(triplets, n_inputs(inputs))
    soft = check_probabilities(probabilities, len(rows))
    if not any(p.requires_grad for p in student.parameters()):
        raise DataError("No parameter of the student requires a gradient; nothing can be trained.")
    place = place_for(device, np.empty(0, dtype=np.float32)).device
    trained = copy.deepcopy(student).to(place)
    targets = torch.from_numpy(soft.astype(np.float32))
    # Dropout draws from torch's own generator, which is the caller's.
    with torch.random.fork_rng([place] if place.startswith("cuda") else []):
        torch.manual_seed(seed)
        before = torch.from_numpy(embed_inputs(trained, inputs, settings.batch_size))
        tau, loss_before = _calibrate(before, rows, targets, settings, temperature)
        scale = torch.tensor(np.log(tau), device=place, dtype=torch.float32)
        scale.requires_grad_(temperature is None)
        targets = targets.to(place)
        records = _train(trained, student, scale, inputs, rows, targets, settings, progress)
    columns: dict[str, Any] = {name: ("step", values) for name, values in records.items()}
    columns["loss_before"] = ((), loss_before)
    return Distilled(trained, scale.exp().item(), xr.Dataset(columns, attrs=asdict(settings)))


def alignet(
    student: torch.nn.Module,
    inputs: Inputs,
    teacher: ArrayLike | xr.DataArray,
    objects: ArrayLike | xr.DataArray,
    choices: ArrayLike,
    *,
    probabilities: ArrayLike | None = None,
    map_penalty: float | Sequence[float] = 0.3,
    n_triplets: int = 100_000,
    n_clusters: int = 500,
    seed: int = 0,
    **options: Any,
) -> Distilled:
    """Align a student with people by way of a teacher.

    Three steps (Muttenthaler et al. 2025, Nature): fit the teacher's affine map to people's
    choices among some objects; let the mapped teacher judge triplets of the student's inputs,
    drawn across the borders of k-means clusters; fine-tune the student on these judgements.

    Parameters
    ----------
    student : torch.nn.Module
        Maps a batch of inputs to features.
    inputs : array-like, tensor or sequence, one entry an input
        What the student sees; they need not be the objects that people judged. Leave out
        whatever the student will be tested on.
    teacher : array-like or DataArray, shape (input, feature)
        The teacher's features of the inputs.
    objects : array-like or DataArray, shape (object, feature)
        The teacher's features of the objects that people judged.
    choices : array-like of int, shape (n, 3)
        People's choices among these, the odd one last.
    probabilities : array-like, shape (n, 3), optional
        How sure people are; see :func:`~neurokit.alignment.fit_affine`.
    map_penalty : float or sequence of float
        Penalty of the teacher's map.
    n_triplets : int
        How many triplets the teacher judges.
    n_clusters : int
        Clusters of the teacher's features that they are drawn from.
    seed : int
        Of the triplets and of the training.
    **options
        Passed to :func:`distil`.

    Returns
    -------
    Distilled
        The trained copy, with the ``teacher_map``.

    Raises
    ------
    UnknownNameError, DataError
        As the three steps do, or a teacher of other inputs.

    Examples
    --------
    >>> from neurokit.alignment import simulate_choices, uniform_triplets
    >>> people = np.random.default_rng(0).standard_normal((30, 3))
    >>> choices = simulate_choices(people, uniform_triplets(30, 500))
    >>> out = alignet(torch.nn.Linear(3, 3), people, people, people, choices, n_triplets=200,
    ...               n_clusters=5, n_epochs=1)
    >>> out.teacher_map.weight.shape
    (3, 3)
    """
    known = finite_array("teacher", teacher, "input, feature", least=3)
    if len(known) != n_inputs(inputs):
        raise DataError(
            f"Expected the teacher's features of the {n_inputs(inputs)} inputs; got {len(known)}."
        )
    mapping = fit_affine(
        objects, choices, probabilities=probabilities, penalty=map_penalty, seed=seed
    )
    mapped = mapping(known)
    triplets = cluster_triplets(mapped, n_triplets, n_clusters, seed)
    judged = choice_probabilities(mapped, triplets)
    out = distil(student, inputs, triplets, judged, seed=seed, **options)
    return replace(out, teacher_map=mapping)


@dataclass(frozen=True)
class _Settings:
    """What a run was asked for."""

    loss: str
    similarity: str
    penalty: float
    learning_rate: float
    batch_size: int
    n_epochs: int
    seed: int


def _train(
    trained: torch.nn.Module,
    initial: torch.nn.Module,
    log_tau: torch.Tensor,
    inputs: Inputs,
    rows: NDArray[np.int64],
    targets: torch.Tensor,
    settings: _Settings,
    progress: bool | None,
) -> dict[str, NDArray[np.float64]]:
    """Run the epochs; return divergence, drift and temperature of each batch."""
    place = targets.device
    moving = [p for p in trained.parameters() if p.requires_grad]
    anchors = [p.detach().to(place) for p in initial.parameters() if p.requires_grad]
    groups: list[dict[str, Any]] = [{"params": moving, "lr": settings.learning_rate}]
    if log_tau.requires_grad:
        # One number on a scale of its own, which must keep up with thousands of small steps.
        groups.append({"params": [log_tau], "lr": 10 * settings.learning_rate})
    optimiser = torch.optim.Adam(groups)
    batches = _batches(len(rows), settings)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, len(batches))
    records = np.empty((3, len(batches)))
    for step, chosen in enumerate(progress_bar(batches, enabled=progress, desc="distil")):
        # Each object passes once, however many of the triplets hold it.
        objects, local = np.unique(rows[chosen], return_inverse=True)
        places = torch.from_numpy(local.reshape(-1, 3)).to(place)
        features = forward(trained, inputs, objects)
        logits = triplet_similarities(features, places, settings.similarity) / log_tau.exp()
        loss = divergence(targets[torch.from_numpy(chosen).to(place)], logits, settings.loss)
        pairs = zip(moving, anchors, strict=True)
        drift = torch.stack([((p - anchor) ** 2).sum() for p, anchor in pairs]).sum()
        optimiser.zero_grad()
        (loss + settings.penalty * drift).backward()
        optimiser.step()
        schedule.step()
        records[:, step] = loss.item(), drift.item(), log_tau.exp().item()
        _check_loss(records[0, step], step, settings.learning_rate)
    return dict(zip(("loss", "drift", "temperature"), records, strict=True))


def _batches(n: int, settings: _Settings) -> list[NDArray[np.intp]]:
    """Cut the triplets into batches, in another order in each epoch."""
    rng, size = np.random.default_rng(settings.seed), settings.batch_size
    orders = [rng.permutation(n) for _ in range(settings.n_epochs)]
    return [order[k : k + size] for order in orders for k in range(0, n, size)]


def _calibrate(
    features: torch.Tensor,
    rows: NDArray[np.int64],
    targets: torch.Tensor,
    settings: _Settings,
    temperature: float | None,
) -> tuple[float, float]:
    """Return the temperature at which the network is closest to the teacher, and how close."""
    # Enough triplets for one number.
    places, targets = torch.from_numpy(rows[:20_000]), targets[:20_000]
    alike = triplet_similarities(features, places, settings.similarity)

    def apart(log_tau: float) -> float:
        return float(divergence(targets, alike / float(np.exp(log_tau)), settings.loss))

    if temperature is not None:
        tau = positive("temperature", temperature)
        return tau, apart(np.log(tau))
    spread = float(alike.std())
    centre = np.log(spread if spread > 1e-8 else 1.0)
    bounds = (centre - 5, centre + 5)
    found = scipy.optimize.minimize_scalar(apart, bounds=bounds, method="bounded")
    return float(np.exp(found.x)), float(found.fun)


def _one_of(kind: str, name: str, known: tuple[str, ...]) -> str:
    if name not in known:
        raise UnknownNameError(kind, name, known)
    return name


def _check_loss(value: float, step: int, rate: float) -> None:
    if not np.isfinite(value):
        raise DataError(
            f"The loss is {value} in step {step}. Use a learning_rate below {rate:g}, or check "
            "that the student's features are finite."
        )

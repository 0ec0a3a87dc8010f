"""A subspace of what changes within people, learnt without labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from neurokit.errors import DataError, UnknownNameError
from neurokit.models.nn import Classifier, Pretrained
from neurokit.models.states.config import StateSubspaceConfig
from neurokit.models.states.features import StateFeatures
from neurokit.recording.schema import voltage_factor

__all__ = ["StateSubspace"]

Batch = dict[str, Tensor]
AT_ONCE = 256


class StateSubspace(Pretrained):
    r"""The directions in which windows of one person differ, and neighbours do not.

    People differ from one another far more than any of them does from one minute to the next,
    and a representation that keeps all of it leaves little to what is the same in all. This
    one is pretrained without labels, on the spectral shapes and covariances of
    :class:`~neurokit.models.states.features.StateFeatures`: it keeps the directions v with the
    largest

    .. math:: \frac{v^\top W v}{v^\top [(1 - \gamma) D + \gamma \bar{d} I] v},

    with W the covariance of windows around the mean of their own group, D half that of changes
    from a window to the next of its recording, and :math:`\bar{d}` the mean of D's diagonal: a
    slow feature analysis (Wiskott & Sejnowski 2002, Neural Comput. 14:715) within people. It is
    solved at once, as an eigenvalue problem, by :meth:`fit`.

    Parameters
    ----------
    config : StateSubspaceConfig
        Settings.

    Notes
    -----
    Rest against mental arithmetic (EEGMAT, 5-s windows, six folds of 6 of 36 subjects; subspace
    and probe from the other 30): area under the curve .865, 95 % interval over subjects
    .82–.92; band power .803, .76–.87; their difference .056, .004–.112. That is subjects in
    their order, as the data come; dealt at random, with three seeds, .828, .817 and .846 against
    .802, .777 and .821. Most of it is what the covariances add: all features without a subspace
    have .849, their first 32 principal components .838, 32 random projections .76. On the last
    four subjects alone, the split others publish on, the model has .71 and band power .81, with
    intervals of .47–.94 and .74–.95.

    Examples
    --------
    >>> from neurokit.recording import Recording
    >>> from neurokit.windows import sliding
    >>> rng = np.random.default_rng(0)
    >>> recs = [Recording.from_array(1e-5 * rng.normal(size=(2000, 2)), 100, ["C3", "C4"],
    ...                              meta={"subject": k}) for k in range(4)]
    >>> win = sliding(recs, stream="eeg", length=2)
    >>> config = StateSubspaceConfig(win.names, sampling_rate=100, window=2, n_features=3,
    ...                              n_components=20)
    >>> model = StateSubspace(config).fit(win, win.groups("subject"))
    >>> model.check(win)
    >>> model.represent(win.batch([0, 1])).shape, model.represent(model.example()).shape
    (torch.Size([2, 3]), torch.Size([2, 3]))
    >>> model.classifier(["rest", "task"])(win.batch([0, 1])).shape
    torch.Size([2, 2])
    """

    config_class = StateSubspaceConfig
    config: StateSubspaceConfig

    def __init__(self, config: StateSubspaceConfig) -> None:
        super().__init__(config)
        self.features = StateFeatures(config)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            self.subspace = nn.Linear(sum(config.block_sizes), config.n_features, bias=False)

    def fit(self, win: Any, groups: ArrayLike) -> Self:
        """Learn the subspace.

        Parameters
        ----------
        win : Windows
            To learn from; labels are not used.
        groups : array-like, shape (window,)
            Whose differences from one another do not count: as a rule ``win.groups("subject")``.

        Returns
        -------
        Self
            The model, in evaluation mode.

        Raises
        ------
        DataError
            Windows that do not fit, one without a neighbour everywhere, or fewer windows than
            the subspace has dimensions.

        Examples
        --------
        >>> from neurokit.recording import Recording
        >>> from neurokit.windows import sliding
        >>> x = 1e-5 * np.random.default_rng(0).normal(size=(2000, 2))
        >>> win = sliding(Recording.from_array(x, 100, ["C3", "C4"]), stream="eeg", length=2)
        >>> config = StateSubspaceConfig(win.names, sampling_rate=100, window=2, n_features=3)
        >>> StateSubspace(config).fit(win, np.zeros(10)).subspace
        Linear(in_features=51, out_features=3, bias=False)
        """
        self.check(win)
        group = np.unique(np.asarray(groups), return_inverse=True)[1]
        if group.shape != (len(win),):
            raise DataError(f"Got {group.size} groups for {len(win)} windows. Give one a window.")
        recording = np.unique(win.recording_index, return_inverse=True)[1]
        with torch.no_grad():
            place = self.subspace.weight.device
            blocks = (win.batch(rows)["x"].to(place) for rows in _blocks(len(win)))
            plain = torch.cat([self.features.plain(x) for x in blocks])
            self.features.standardise(plain)
            z = (plain - self.features.mean) * self.features.scale
            before, after = _neighbours(recording, win.start)
            self.subspace.weight.copy_(_directions(z, group, recording, before, after, self.config))
        return self.eval()

    def represent(self, batch: Batch) -> Tensor:
        """Return where windows lie in the subspace.

        Parameters
        ----------
        batch : dict of Tensor
            ``x`` (window, time, channel), in the configuration's unit.

        Returns
        -------
        Tensor, shape (window, feature)
            The direction that changes most comes first.

        Raises
        ------
        DataError
            Windows of another shape.
        """
        x, config = batch["x"], self.config
        if x.ndim != 3 or x.shape[1:] != (config.n_samples, len(config.channels)):
            raise DataError(
                f"Expected x of shape (window, {config.n_samples} samples, {len(config.channels)} "
                f"channels); got {tuple(x.shape)}."
            )
        out: Tensor = self.subspace(self.features(x))
        return out

    def check(self, win: Any) -> None:
        """Raise one clear error where windows do not fit the model.

        Parameters
        ----------
        win : Windows
            Of one stream.

        Raises
        ------
        DataError
            Another rate, length, unit, number or order of channels.
        UnknownNameError
            A channel that the model does not know.
        """
        config = self.config
        if win.n_samples != config.n_samples or win.sampling_rate != config.sampling_rate:
            raise DataError(
                f"Windows of {win.length:g} s at {win.sampling_rate:g} Hz for a model of "
                f"{config.window:g} s at {config.sampling_rate:g} Hz. Cut or resample them."
            )
        for name in win.names:
            if name not in config.channels:
                raise UnknownNameError("channel", name, config.channels)
        if win.names != config.channels:
            raise DataError(
                f"The windows' channels are {', '.join(win.names)}; the model's "
                f"{', '.join(config.channels)}. Select the same, in this order."
            )
        if voltage_factor(win.units) != voltage_factor(config.units):
            raise DataError(f"The windows are in {win.units!r}, the model's in {config.units!r}.")

    def classifier(self, classes: Sequence[str], **head: Any) -> Classifier:
        """Put a classification head on the subspace, to be fine-tuned together.

        Parameters
        ----------
        classes : sequence of str
            Names of the classes.
        **head
            Options of :class:`~neurokit.models.nn.Classifier`.

        Returns
        -------
        Classifier
            This model with a head.
        """
        return Classifier(self, classes, **head)

    def example(self) -> Batch:
        """Return two windows of noise.

        Returns
        -------
        dict of Tensor
            ``x`` (window, time, channel), in the configuration's unit; always the same.
        """
        generator = torch.Generator().manual_seed(0)
        shape = (2, self.config.n_samples, len(self.config.channels))
        return {"x": 10 * torch.randn(shape, generator=generator) / self.features.microvolts}


def _blocks(n: int) -> list[np.ndarray]:
    return [np.arange(first, min(first + AT_ONCE, n)) for first in range(0, n, AT_ONCE)]


def _neighbours(recording: np.ndarray, start: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows of windows that follow each other in a recording."""
    order = np.lexsort((start, recording))
    same = recording[order[1:]] == recording[order[:-1]]
    if not same.any():
        raise DataError("No two windows follow each other in a recording: changes are unknown.")
    return order[:-1][same], order[1:][same]


def _directions(
    z: Tensor,
    group: np.ndarray,
    recording: np.ndarray,
    before: np.ndarray,
    after: np.ndarray,
    config: StateSubspaceConfig,
) -> Tensor:
    """Solve for the directions (feature, value), in double precision and on the CPU."""
    if len(z) <= config.n_features:
        raise DataError(f"{len(z)} windows for {config.n_features} dimensions. Take more windows.")
    z = z.cpu().double()
    n = min(config.n_components, *z.shape)
    axes = torch.linalg.svd(z, full_matrices=False).Vh[:n]
    z = z @ axes.T
    own = z - _centres(z, group, recording)
    change = z[after] - z[before]
    within, fast = own.T @ own / len(own), change.T @ change / (2 * len(change))
    level = fast.diagonal().mean()
    fast = (1 - config.shrinkage) * fast
    fast.diagonal().add_(config.shrinkage * level + 1e-9 * level)
    # Whitening the changes makes the generalised problem an ordinary one.
    root = torch.linalg.cholesky(fast)
    half = torch.linalg.solve_triangular(root, within, upper=False)
    white = torch.linalg.solve_triangular(root, half.T, upper=False)
    found = torch.linalg.eigh((white + white.T) / 2).eigenvectors.flip(1)[:, : config.n_features]
    return (torch.linalg.solve_triangular(root.T, found, upper=True).T @ axes).float()


def _centres(z: Tensor, group: np.ndarray, recording: np.ndarray) -> Tensor:
    """Return the centre of each window's group, to which each of its recordings adds the same."""
    part = np.unique(np.stack([group, recording]), axis=1, return_inverse=True)
    owner, member = torch.from_numpy(part[0][0]), torch.from_numpy(part[1].reshape(-1))
    return _means(_means(z, member), owner)[torch.from_numpy(group)]


def _means(z: Tensor, index: Tensor) -> Tensor:
    count = torch.bincount(index)[:, None]
    return torch.zeros(len(count), z.shape[1], dtype=z.dtype).index_add_(0, index, z) / count

"""Encoding past one process: blocks of targets on dask workers or in shards, kept on disk."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from neurokit.alignment.blocks import encode_block
from neurokit.alignment.encoding import Ceiling, combine_blocks, prepare_encoding
from neurokit.alignment.features.cache import digest
from neurokit.alignment.inputs import Targets, check_groups, check_pair, open_targets, versions
from neurokit.alignment.plans import EncodingPlan, Layers
from neurokit.arguments import path_of, whole
from neurokit.errors import DataError
from neurokit.files import replacing
from neurokit.progress import progress_bar

if TYPE_CHECKING:
    import distributed

__all__ = ["encode_in_shards", "parse_shard"]

JOB = "job.json"


def encode_in_shards(
    folder: str | Path,
    x: ArrayLike | xr.DataArray | Layers,
    y: ArrayLike | xr.DataArray,
    groups: ArrayLike | None = None,
    *,
    shard: str | None = None,
    client: distributed.Client | None = None,
    width: int = 2048,
    ceiling: Ceiling | None = None,
    progress: bool | None = None,
    **settings: Any,
) -> xr.Dataset | None:
    """Do the work of :func:`~neurokit.alignment.encode` block by block, in a folder.

    Every block of targets is one file, written whole or not at all. A run that was killed is
    run again with the same arguments and does what is missing; runs of different shards may
    go on at the same time on machines that share the folder. Blocks that belong to other
    features, settings or responses are never taken for those of this job.

    Parameters
    ----------
    folder : path
        Where the job and its blocks are kept; one folder a job.
    x : array-like, DataArray or mapping of them, shape (samples, features)
        Features, or layers of them. Their precision is the one of the arithmetic.
    y : array-like or DataArray, shape (samples, targets)
        Responses. A DataArray on a zarr or HDF5 file, or on dask, is read block by block.
    groups : array-like, shape (samples,), optional
        As for ``encode``.
    shard : str, optional
        ``"i/n"``: do every n-th block from the i-th on, i from 1 to n; for job arrays of a
        cluster. By default all blocks.
    client : distributed.Client, optional
        Send blocks to the workers of a dask cluster. On one machine this is no faster.
    width : int
        Targets in a block.
    ceiling : float, array-like, DataArray or Dataset, optional
        As for ``encode``; over all targets.
    progress : bool, optional
        Show a progress bar over blocks.
    **settings
        Other arguments of ``encode``: ``cv`` to ``allow_leakage``, and ``device``.

    Returns
    -------
    Dataset or None
        The same as ``encode`` gives; None as long as blocks of other shards are missing.

    Raises
    ------
    DataError
        A folder that holds another job (what differs is named), a shard that does not exist, or
        inputs that ``encode`` would refuse.
    UnknownNameError
        A setting that does not exist.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x, y = rng.standard_normal((60, 3)), rng.standard_normal((60, 5))
    >>> job = {"width": 2, "n_permutations": 0, "n_bootstraps": 0, "alphas": [10.0, 100.0]}
    >>> encode_in_shards("job", x, y, shard="1/2", **job) is None
    True
    >>> encode_in_shards("job", x, y, shard="2/2", **job).sizes["target"]
    5
    """
    place = path_of("folder", folder)
    targets = open_targets(y)
    for one in x.values() if isinstance(x, Mapping) else [x]:
        check_pair(one, targets)
    width = whole("width (targets)", width, least=1)
    job = _Job(place, targets, width, _facts(x, targets, groups, width, settings))
    mine = range(job.n_blocks)[_stride(shard)]
    # Checked before the features are decomposed, which may take minutes.
    job.open()
    missing = [k for k in mine if job.read(k) is None]
    plan = prepare_encoding(x, groups, **settings)
    work = _here(plan, job, missing) if client is None else _there(plan, job, missing, client)
    for k, block in progress_bar(
        work, enabled=progress, desc="encode", unit="block", total=len(missing)
    ):
        job.write(k, block)
    return job.collect(lambda blocks: combine_blocks(plan, blocks, ceiling))


def parse_shard(shard: str) -> tuple[int, int]:
    """Read which shard of how many is meant.

    Parameters
    ----------
    shard : str
        ``"i/n"`` with i from 1 to n.

    Returns
    -------
    shard : int
        From 1.
    n_shards : int
        How many there are.

    Raises
    ------
    DataError
        Anything else.

    Examples
    --------
    >>> parse_shard("2/8")
    (2, 8)
    """
    first, _, second = str(shard).partition("/")
    if first.isdecimal() and second.isdecimal() and 1 <= int(first) <= int(second):
        return int(first), int(second)
    raise DataError(f"Expected a shard as i/n with i from 1 to n, such as 2/8; got {shard!r}.")


@dataclass(frozen=True)
class _Job:
    """The files of one analysis."""

    folder: Path
    targets: Targets
    width: int
    facts: dict[str, Any]
    marked: dict[int, dict[str, str]] = field(default_factory=dict, repr=False)

    @property
    def n_targets(self) -> int:
        return int(self.targets.values.shape[1])

    @property
    def n_blocks(self) -> int:
        return -(-self.n_targets // self.width)

    @property
    def key(self) -> str:
        return digest([_text(self.facts)])

    def part(self, k: int) -> slice:
        return slice(k * self.width, min((k + 1) * self.width, self.n_targets))

    def path(self, k: int) -> Path:
        return self.folder / f"block-{k + 1:05d}-of-{self.n_blocks:05d}.nc"

    def open(self) -> None:
        """Say which job the folder is for, or refuse one that is for another."""
        known = self.folder / JOB
        if not known.exists():
            if self.folder.is_dir() and any(self.folder.glob("block-*.nc")):
                raise DataError(
                    f"{self.folder} holds blocks of an unknown job. Use another folder."
                )
            self.folder.mkdir(parents=True, exist_ok=True)
            with replacing(known) as path:
                path.write_text(_text(self.facts))
            return
        try:
            theirs = json.loads(known.read_text())
        except ValueError:
            raise DataError(
                f"{known} is damaged. Use another folder, or delete this one."
            ) from None
        if theirs != self.facts:
            keys = sorted(k for k in {*theirs, *self.facts} if theirs.get(k) != self.facts.get(k))
            raise DataError(
                f"{self.folder} holds another job, which differs in {', '.join(keys)}. Use another "
                "folder, or delete this one."
            )

    def marks(self, k: int) -> dict[str, str]:
        """Return what a block must carry to be believed: the job, and its responses."""
        if k not in self.marked:
            # Responses on a file are read whole for it.
            y = digest([self.targets.read(self.part(k))])
            self.marked[k] = {"job": self.key, "y": y}
        return self.marked[k]

    def read(self, k: int) -> xr.Dataset | None:
        """Return a finished block; None where it is missing, damaged or of something else."""
        if not self.path(k).exists():
            return None
        try:
            with xr.open_dataset(self.path(k), engine="h5netcdf") as file:
                block = file.load()
        except (OSError, ValueError, KeyError, RuntimeError):
            return None
        return block.drop_attrs() if block.attrs == self.marks(k) else None

    def write(self, k: int, block: xr.Dataset) -> None:
        """Keep a block, whole or not at all."""
        marked = block.assign_attrs(self.marks(k))
        with replacing(self.path(k)) as path:
            marked.to_netcdf(path, engine="h5netcdf")

    def collect(self, combine: Callable[[list[xr.Dataset]], xr.Dataset]) -> xr.Dataset | None:
        """Combine the blocks where all are there."""
        if not all(self.path(k).exists() for k in range(self.n_blocks)):
            return None
        blocks = [self.read(k) for k in range(self.n_blocks)]
        done = [block for block in blocks if block is not None]
        return combine(done) if len(done) == self.n_blocks else None


def _here(plan: EncodingPlan, job: _Job, missing: list[int]) -> Iterator[tuple[int, xr.Dataset]]:
    """Do blocks one after the other."""
    for k in missing:
        yield k, encode_block(plan, _block(job, k))


def _there(
    plan: EncodingPlan, job: _Job, missing: list[int], client: distributed.Client
) -> Iterator[tuple[int, xr.Dataset]]:
    """Do blocks on workers, with no more of them under way than keep the workers busy."""
    shared = client.scatter(plan, broadcast=True, hash=False)
    ahead = 2 * max(sum(client.nthreads().values()), 1)
    under_way: deque[tuple[int, Any]] = deque()
    for k in missing:
        under_way.append((k, client.submit(encode_block, shared, _block(job, k), pure=False)))
        if len(under_way) >= ahead:
            done, future = under_way.popleft()
            yield done, future.result()
    for done, future in under_way:
        yield done, future.result()


def _block(job: _Job, k: int) -> Any:
    """Return some targets with their coordinates; those on a file stay there."""
    given, part = job.targets.given, job.part(k)
    if isinstance(given, xr.DataArray):
        return given.isel({given.dims[-1]: part})
    return job.targets.values[:, part]


def _facts(
    x: ArrayLike | xr.DataArray | Layers,
    targets: Targets,
    groups: ArrayLike | None,
    width: int,
    settings: dict[str, Any],
) -> dict[str, Any]:
    """Say everything that the blocks depend on, but for the responses themselves."""
    layers = dict(x) if isinstance(x, Mapping) else {"": x}
    features = {str(name): digest([np.asarray(values)]) for name, values in layers.items()}
    n = len(targets.values)
    labels = check_groups(groups, n)
    folds = settings.get("cv", 5)
    if folds is not None and not isinstance(folds, int | np.integer):
        settings["cv"] = folds = [tuple(np.asarray(side) for side in pair) for pair in folds]
        folds = digest([side for pair in folds for side in pair])
    rest = {name: value for name, value in settings.items() if name != "cv"}
    facts = {
        "features": features,
        "groups": None if labels is None else digest([str(label) for label in labels]),
        "cv": folds if folds is None else str(folds),
        "shape": [n, int(targets.values.shape[1])],
        "targets": digest(targets.names),
        "width": width,
        "versions": versions(),
        **{name: _plain(value) for name, value in rest.items()},
    }
    return dict(json.loads(_text(facts)))


def _plain(value: Any) -> Any:
    """Turn a setting into something that JSON holds."""
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, slice | str | bool | float | int) or value is None:
        return str(value)
    return digest([np.asarray(value)]) if isinstance(value, np.ndarray) else [*map(_plain, value)]


def _stride(shard: str | None) -> slice:
    """Return which blocks belong to a shard."""
    if shard is None:
        return slice(None)
    first, step = parse_shard(shard)
    return slice(first - 1, None, step)


def _text(facts: Mapping[str, Any]) -> str:
    return json.dumps(facts, sort_keys=True, indent=1)

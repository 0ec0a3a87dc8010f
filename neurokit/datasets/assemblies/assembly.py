"""Responses, the stimuli that evoked them, and what is known about how reliable they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from neurokit.arguments import instance, text
from neurokit.datasets.assemblies import checks
from neurokit.datasets.assemblies.pictures import load_pictures
from neurokit.errors import DataError, UnknownNameError

__all__ = ["Assembly"]


@dataclass(frozen=True, eq=False, repr=False)
class Assembly:
    """Responses of a brain, matched with the stimuli that evoked them.

    Every part but the stimuli is optional, because some sets publish only dissimilarities or
    choices. All is checked when the object is made.

    Parameters
    ----------
    name : str
        Short name of the data set.
    responses : xr.DataArray or None
        Dims ``(presentation, neuroid)``, finite. Over ``presentation`` the coordinate
        ``stimulus_id``, and ``story``, ``run``, ``time`` (s) where there are any; over
        ``neuroid`` ``neuroid_id``, ``region``, ``subject``, and positions ``x y z`` (m) where
        known. Missing ``neuroid_id`` are numbered, missing ``region`` and ``subject`` empty.
    stimuli : pd.DataFrame
        One row a distinct stimulus, indexed by ``stimulus_id``. ``text`` is what was read or
        heard, ``image`` where the picture lies (see
        :func:`~neurokit.datasets.assemblies.pictures.load_pictures`), ``category`` its kind;
        other columns are nuisance variables.
    words : pd.DataFrame, optional
        Of stories: ``story`` and ``word`` in order, with ``onset`` and ``offset`` (s from the
        story's start) where the words were timed.
    repeats : xr.DataArray, optional
        Dims ``(repeat, presentation, neuroid)``, of the same presentations and neuroids as
        ``responses``; NaN where there were fewer repeats.
    ceiling : xr.DataArray, optional
        Published ceiling of r for each neuroid; NaN where none was published.
    rdms : xr.DataArray, optional
        Dissimilarities over ``(subject, stimulus, stimulus_)``, the stimuli labelled by id.
    triplets : ndarray of int, shape (choices, 3), optional
        Rows of ``stimuli`` shown together, the odd one out last.
    meta : mapping
        Facts about the set.

    Raises
    ------
    DataError
        If the parts contradict each other, ids occur twice, or responses are missing. The
        message names which, and what to do.

    Examples
    --------
    >>> responses = xr.DataArray(
    ...     np.eye(2), dims=("presentation", "neuroid"),
    ...     coords={"stimulus_id": ("presentation", ["a", "b"])},
    ... )
    >>> stimuli = pd.DataFrame({"text": ["A dog.", "A cat."]}, index=["a", "b"])
    >>> Assembly("pets", responses, stimuli)
    <Assembly pets: 2 presentations of 2 stimuli (text) × 2 neuroids>
    """

    name: str
    responses: xr.DataArray | None
    stimuli: pd.DataFrame
    words: pd.DataFrame | None = None
    repeats: xr.DataArray | None = None
    ceiling: xr.DataArray | None = None
    rdms: xr.DataArray | None = None
    triplets: np.ndarray | None = None
    meta: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        text("name", self.name)
        instance("meta", self.meta, Mapping, "a dict of facts")
        stimuli = checks.check_stimuli(self.stimuli)
        checked: dict[str, Any] = {"stimuli": stimuli, "meta": dict(self.meta)}
        if self.responses is not None:
            checked["responses"] = checks.check_responses(self.responses, stimuli)
        if self.words is not None:
            checked["words"] = checks.check_words(self.words, checked.get("responses"))
        if self.repeats is not None:
            checked["repeats"] = checks.check_repeats(self.repeats, checked.get("responses"))
        if self.ceiling is not None:
            checked["ceiling"] = checks.check_ceiling(self.ceiling, checked.get("responses"))
        if self.rdms is not None:
            checked["rdms"] = checks.check_rdms(self.rdms, stimuli)
        if self.triplets is not None:
            checked["triplets"] = checks.check_triplets(self.triplets, stimuli)
        for key, value in checked.items():
            object.__setattr__(self, key, value)

    def __repr__(self) -> str:
        shown = [k for k in ("text", "image", "category") if k in self.stimuli]
        what = f"{len(self.stimuli):,} stimuli" + (f" ({', '.join(shown)})" if shown else "")
        if self.responses is not None:
            n, v = self.responses.shape
            what = f"{n:,} presentations of {what} × {v:,} neuroids"
        parts = [what]
        parts += [] if self.words is None else [f"{len(self.words):,} words"]
        parts += [] if self.repeats is None else [f"{self.repeats.sizes['repeat']} repeats"]
        parts += [] if self.ceiling is None else ["ceiling"]
        parts += [] if self.rdms is None else [f"{self.rdms.sizes['subject']} RDMs"]
        parts += [] if self.triplets is None else [f"{len(self.triplets):,} triplets"]
        return f"<Assembly {self.name}: {'; '.join(parts)}>"

    def summary(self) -> pd.Series:
        """Say what the assembly holds.

        Returns
        -------
        pd.Series
            Numbers of stimuli, presentations, neuroids, subjects, regions, stories, repeats,
            words, RDMs and triplets, those that apply; and the median ceiling.

        Examples
        --------
        >>> stimuli = pd.DataFrame({"category": ["cat", "dog"]}, index=["a", "b"])
        >>> int(Assembly("pets", None, stimuli).summary()["stimuli"])
        2
        """
        found: dict[str, Any] = {"stimuli": len(self.stimuli)}
        if self.responses is not None:
            found |= {f"{d}s": n for d, n in self.responses.sizes.items()}
            for key in ("subject", "region", "story"):
                if key in self.responses.coords:
                    plural = "stories" if key == "story" else f"{key}s"
                    found[plural] = len(np.unique(self.responses[key].values))
        found |= {} if self.words is None else {"words": len(self.words)}
        found |= {} if self.repeats is None else {"repeats": self.repeats.sizes["repeat"]}
        found |= {} if self.rdms is None else {"rdms": self.rdms.sizes["subject"]}
        found |= {} if self.triplets is None else {"triplets": len(self.triplets)}
        found |= {} if self.ceiling is None else {"median ceiling": float(self.ceiling.median())}
        return pd.Series(found, name=self.name, dtype=object)

    def images(
        self, ids: Sequence[str] | None = None, size: tuple[int, int] | None = None
    ) -> np.ndarray:
        """Load the pictures.

        Parameters
        ----------
        ids : sequence of str, optional
            Stimuli wanted; by default all, in the order of ``stimuli``.
        size : tuple of int, optional
            Height and width to resize to; needed where pictures differ in size.

        Returns
        -------
        ndarray of uint8, shape (n, height, width, 3)
            The pictures.

        Raises
        ------
        DataError
            If the stimuli are no pictures, or differ in size.
        ReadError
            If a picture is missing or damaged.

        Examples
        --------
        >>> np.save("photo.npy", np.zeros((1, 4, 4, 3), np.uint8))
        >>> stimuli = pd.DataFrame({"image": ["photo.npy#0"]}, index=["a"])
        >>> Assembly("one", None, stimuli).images().shape
        (1, 4, 4, 3)
        """
        if "image" not in self.stimuli:
            raise DataError(
                f"The stimuli of {self.name} have no column 'image' ({list(self.stimuli)}). Give "
                "the reader the folder of the pictures, if it takes one."
            )
        wanted = self.stimuli.index if ids is None else checks.known_ids(ids, self.stimuli)
        where = self.stimuli["image"].loc[list(wanted)]
        if where.isna().any():
            raise DataError(f"{int(where.isna().sum())} stimuli of {self.name} have no picture.")
        return load_pictures(where.tolist(), size=size)

    def sel(self, **wanted: Any) -> Assembly:
        """Keep some presentations or neuroids.

        Parameters
        ----------
        **wanted
            By coordinate of the responses: a value, or a list of values, such as
            ``region="IT"`` or ``subject=["S1", "S2"]``. Stimuli and words stay as they are.

        Returns
        -------
        Assembly
            Responses, repeats and ceilings cut down together.

        Raises
        ------
        UnknownNameError
            If there is no such coordinate.
        DataError
            If there are no responses, or nothing has such a value.

        Examples
        --------
        >>> responses = xr.DataArray(
        ...     np.eye(2), dims=("presentation", "neuroid"),
        ...     coords={"stimulus_id": ("presentation", ["a", "b"]),
        ...             "region": ("neuroid", ["V4", "IT"])},
        ... )
        >>> stimuli = pd.DataFrame({"category": ["cat", "dog"]}, index=["a", "b"])
        >>> Assembly("pets", responses, stimuli).sel(region="IT").responses.shape
        (2, 1)
        """
        if self.responses is None:
            raise DataError(f"{self.name} has no responses to select from.")
        parts: dict[str, Any] = {
            "responses": self.responses,
            "repeats": self.repeats,
            "ceiling": self.ceiling,
        }
        for key, value in wanted.items():
            coord = parts["responses"].coords.get(key)
            if coord is None or coord.ndim != 1:
                known = [str(k) for k, c in self.responses.coords.items() if c.ndim == 1]
                raise UnknownNameError(f"coordinate of {self.name}", key, known)
            keep = np.flatnonzero(np.isin(coord.values, np.atleast_1d(value)))
            if not keep.size:
                there = ", ".join(map(str, np.unique(coord.values)[:12]))
                raise DataError(f"{self.name}: no {key} is {value!r}. There are: {there}.")
            dim = coord.dims[0]
            parts = {
                k: p.isel({dim: keep}) if p is not None and dim in p.dims else p
                for k, p in parts.items()
            }
        return replace(self, **parts)

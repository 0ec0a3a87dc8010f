"""Benchmarks: one TOML each, which says what is predicted from what, how, and against what."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from neurokit.catalog.fields import Text
from neurokit.catalog.folders import find
from neurokit.catalog.schema import Schema, read_toml
from neurokit.errors import ReadError

__all__ = [
    "BenchmarkCard",
    "Ceiling",
    "Expected",
    "Features",
    "Folds",
    "Regression",
    "Targets",
    "benchmark_card",
]

Metric = Literal["r", "R2", "delta-R2", "2v2", "rsa-spearman", "odd-one-out"]
Protocol = Literal["ours", "brain-score", "litcoder", "lebel", "hadidi"]
_Count = Annotated[int, Field(ge=1)]
_Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")]


class Targets(Schema):
    """Which neuroids are predicted, and which of them make the headline.

    Attributes
    ----------
    coordinate : str
        Coordinate of the neuroids that `keep` and `headline` name values of.
    keep : list of str
        Values that are scored; all where it is empty.
    headline : list of str
        Values whose scores are summed up in one number; all where it is empty.
    """

    coordinate: Text = "region"
    keep: list[str] = Field(default_factory=list)
    headline: list[str] = Field(default_factory=list)


class Folds(Schema):
    """How training and test presentations are kept apart.

    Attributes
    ----------
    kind : str
        ``contiguous`` blocks; whole groups (``group``); short chunks dealt to folds
        (``chunked``); one test set named in the card (``given``); ``shuffled``, which leaks
        wherever neighbours resemble each other and is there to reproduce published protocols.
    n : int or None
        Number of folds; with ``group``, None leaves one group out at a time.
    gap : int
        Presentations left out of training on both sides of a test block.
    group : str
        Coordinate of the presentations: runs, stories, passages.
    test : list of str
        With ``given``: values of `group` that make the test set.
    chunk : int
        With ``chunked``: presentations a chunk.
    share : float
        With ``shuffled``: share of presentations that is drawn for each test set; by default
        the shuffled presentations are dealt to folds.
    recurring : bool
        Whether the same stimuli are on both sides by design, so that all features which tell
        them apart score alike.
    """

    kind: Literal["contiguous", "group", "chunked", "given", "shuffled"] = "contiguous"
    n: Annotated[int, Field(ge=2)] | None = None
    gap: Annotated[int, Field(ge=0)] = 0
    group: str = ""
    test: list[str] = Field(default_factory=list)
    chunk: _Count = 20
    share: Annotated[float, Field(gt=0, lt=1)] | None = None
    recurring: bool = False

    @model_validator(mode="after")
    def _check_whole(self) -> Folds:
        if self.kind in ("group", "given") and not self.group:
            raise ValueError(f"kind = {self.kind!r} needs group, a coordinate of presentations.")
        if self.kind == "given" and not self.test:
            raise ValueError("kind = 'given' needs test, the values that are held out.")
        if self.kind not in ("group", "given") and self.n is None:
            raise ValueError(f"kind = {self.kind!r} needs n, the number of folds.")
        return self


class Regression(Schema):
    """The map from features to responses.

    Attributes
    ----------
    kind : str
        ``ridge`` with one penalty a target, ``ridge-shared`` with one for all, ``banded``
        with one a target and band (model, nuisance), ``pls``.
    alphas : "auto" or list of float
        Penalties to choose from.
    selection : str
        How penalties are chosen, see :class:`neurokit.alignment.RidgeCV`.
    standardize : bool
        Whether features are z-scored with training statistics.
    delays : list of int
        Delays in presentations; empty for none.
    components : int
        Of ``pls``.
    """

    kind: Literal["ridge", "ridge-shared", "banded", "pls"] = "ridge"
    alphas: Literal["auto"] | Annotated[list[float], Field(min_length=1)] = "auto"
    selection: Literal["gcv", "loo", "kfold", "hybrid"] = "gcv"
    standardize: bool = True
    delays: list[int] = Field(default_factory=list)
    components: _Count = 25


class Features(Schema):
    """What is asked of a model.

    Attributes
    ----------
    kind : str
        ``representation``: activations of its layers; ``surprisal``: of its language
        modelling, in bits.
    pooling : str
        ``last``, ``mean`` or ``words``, for language models.
    layers : "all" or list
        Which layers are scored.
    context : int or None
        Words that a word is read with, itself included; None for the whole text.
    passage : str
        Column of the stimuli: those of one passage are read one after another.
    """

    kind: Literal["representation", "surprisal"] = "representation"
    pooling: Literal["last", "mean", "words"] = "mean"
    layers: Literal["all"] | list[int | str] = "all"
    context: _Count | None = None
    passage: str = ""


class Ceiling(Schema):
    """Where the r-ceiling comes from.

    Attributes
    ----------
    kind : str
        ``assembly``, which brings one; ``split_half``, ``repeats`` or ``ncsnr``, estimated from
        its repeats; ``recurring``, from stimuli that come once in every group; ``rdms``, from
        the spread of subjects; ``value``, given here; ``none``.
    value : float or None
        On the scale of the metric, with ``kind = "value"``.
    note : str
        What a reader should know of it.
    """

    kind: Literal[
        "assembly", "split_half", "repeats", "ncsnr", "recurring", "rdms", "value", "none"
    ] = "none"
    value: Annotated[float, Field(gt=0, le=1)] | None = None
    note: str = ""

    @model_validator(mode="after")
    def _check_whole(self) -> Ceiling:
        if (self.kind == "value") != (self.value is not None):
            raise ValueError("kind = 'value' and value go together.")
        return self


class Expected(Schema):
    """Facts that the user's copy of the data must reproduce."""

    presentations: _Count | None = None
    neuroids: _Count | None = None
    stimuli: _Count | None = None


class BenchmarkCard(Schema):
    """One benchmark.

    Attributes
    ----------
    name : str
        As the file.
    title, description : str
        For people.
    suite : str
        The family of benchmarks it belongs to; results cite suite and version.
    version : int
        Raised whenever a score would change.
    data : str
        Name of a data-set card.
    layout : str
        Reader of the assembly, see :func:`neurokit.datasets.assemblies.read_assembly`.
    reading : dict
        Further arguments of the reader.
    stimuli : str
        ``text`` (sentences), ``words`` (running words with onsets), ``image`` or ``triplets``.
    metrics : list of str
        The first makes the headline.
    aggregate : str
        Over neuroids: ``mean`` or ``median``.
    protocol : str
        The published procedure that the settings follow.
    nuisance : list of str
        Features without meaning that a sceptic would try: ``words``, ``characters``,
        ``tokens``, ``position`` (in the run or story), ``surprisal``, ``pixels``, or a numeric
        column of the stimuli.
    nuisance_model : str
        The language model that counts tokens and surprisal; where it is not installed these
        two are left out, and the score says so.
    seed : int
        Of every random draw.
    targets, folds, regression, features, ceiling, expect
        See :class:`Targets`, :class:`Folds`, :class:`Regression`, :class:`Features`,
        :class:`Ceiling` and :class:`Expected`.
    published_folds : Folds or None
        Folds of published scores, where those differ in what they leak: all layers and baselines
        are scored on them too, beside the headline.

    Examples
    --------
    >>> benchmark_card("tuckute2024").stimuli
    'text'
    """

    name: _Slug
    title: Text
    description: Text
    suite: _Slug
    version: _Count
    data: _Slug
    layout: Text
    reading: dict[str, Any] = Field(default_factory=dict)
    stimuli: Literal["text", "words", "image", "triplets"]
    metrics: Annotated[list[Metric], Field(min_length=1)] = Field(default_factory=lambda: ["r"])  # type: ignore[arg-type]
    aggregate: Literal["mean", "median"] = "mean"
    protocol: Protocol = "ours"
    nuisance: list[Text] = Field(default_factory=list)
    nuisance_model: str = ""
    seed: Annotated[int, Field(ge=0)] = 0
    targets: Targets = Targets()
    folds: Folds = Folds(n=5)
    published_folds: Folds | None = None
    regression: Regression = Regression()
    features: Features = Features()
    ceiling: Ceiling = Ceiling()
    expect: Expected = Expected()

    @field_validator("description")
    @classmethod
    def _unwrap(cls, text: str) -> str:
        """Undo the line breaks that keep the TOML readable."""
        return " ".join(text.split())

    @model_validator(mode="after")
    def _check_whole(self) -> BenchmarkCard:
        if ("odd-one-out" in self.metrics) != (self.stimuli == "triplets"):
            raise ValueError("the metric 'odd-one-out' and stimuli = 'triplets' go together.")
        alone = {"rsa-spearman", "odd-one-out"} & set(self.metrics)
        if alone and len(self.metrics) > 1:
            raise ValueError(f"the metric {min(alone)!r} fits no regression; let it stand alone.")
        if {"tokens", "surprisal"} & set(self.nuisance) and not self.nuisance_model:
            raise ValueError("tokens and surprisal need nuisance_model, which counts them.")
        if "delta-R2" in self.metrics and not self.nuisance:
            raise ValueError("the metric 'delta-R2' is over nuisance features; name them.")
        return self

    def canonical(self) -> str:
        """Write everything that a score depends on as one line of JSON.

        Returns
        -------
        str
            Keys sorted; titles and descriptions left out, since they change no number.

        Examples
        --------
        >>> benchmark_card("tuckute2024").canonical()[:12]
        '{"aggregate"'
        """
        settings = self.model_dump(mode="json", exclude={"title", "description"})
        return json.dumps(settings, sort_keys=True, separators=(",", ":"))

    def digest(self) -> str:
        """Hash the settings, so that a result can say by which it was made.

        Returns
        -------
        str
            64 hexadecimal digits: the SHA-256 of :meth:`canonical`.

        Examples
        --------
        >>> len(benchmark_card("tuckute2024").digest())
        64
        """
        return hashlib.sha256(self.canonical().encode()).hexdigest()


def benchmark_card(name: str) -> BenchmarkCard:
    """Find a benchmark's definition by its name or its file.

    Parameters
    ----------
    name : str
        Name of a benchmark on the shelf, or a path that ends in ``.toml``.

    Returns
    -------
    BenchmarkCard
        The checked definition.

    Raises
    ------
    UnknownNameError
        If no benchmark has this name; the nearest is suggested.
    ReadError
        If the file is not a valid definition.

    Examples
    --------
    >>> benchmark_card("haxby-words").data
    'haxby-slice'
    """
    path = Path(name) if name.endswith(".toml") else find("alignment", name)
    read = read_toml(path, BenchmarkCard)
    if read.name != path.stem:
        raise ReadError(
            f"{path}: field 'name': expected {path.stem!r}, as the file is called; "
            f"got {read.name!r}."
        )
    return read

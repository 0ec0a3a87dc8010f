"""Model cards: what a model is, what it learned from, how well, and what it is not for."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from neurokit import __version__, catalog
from neurokit.catalog.recipes import FinetuneRecipe, PretrainRecipe
from neurokit.environment import versions
from neurokit.models.nn import Pretrained
from neurokit.recording import Recording
from neurokit.runs.cutting import Parts

__all__ = ["DataFacts", "data_facts", "model_card", "recipe_hash", "told_of"]

_CONTENT = ("x", "id", "step")
_PACKAGES = ("torch", "numpy", "scipy", "mne", "xarray", "scikit-learn")


@dataclass(frozen=True)
class DataFacts:
    """What a model learned from.

    Attributes
    ----------
    title, licence, citation, url : str
        Of the data set, from its card.
    recordings, subjects, trained : int
        How many were read, and how many people the training windows are of; 0 where recordings
        do not say whose they are.
    windows : dict of str to int
        How many trained, selected and tested.
    fingerprint : str
        First 16 digits of the SHA-256 of the first training windows' samples or spikes: it tells
        whether two runs had the same data.
    history : list of str
        How the first recording was prepared.
    """

    title: str
    licence: str
    citation: str
    url: str
    recordings: int
    subjects: int
    trained: int
    windows: dict[str, int]
    fingerprint: str
    history: list[str] = field(default_factory=list)


def data_facts(recipe: PretrainRecipe | FinetuneRecipe, parts: Parts) -> DataFacts:
    """Gather what a model card says of the data.

    Parameters
    ----------
    recipe : PretrainRecipe or FinetuneRecipe
        Names the card.
    parts : Parts
        The windows.

    Returns
    -------
    DataFacts
        Of them.

    Examples
    --------
    >>> from neurokit.catalog.recipes import recipe
    >>> from neurokit.runs.pretraining import windows_of
    >>> demo = recipe("eegformer-demo")
    >>> data_facts(demo, windows_of(demo)).licence
    'BSD-3-Clause'
    """
    recordings = parts.train.recordings
    first: Recording = recordings[0]
    name = str(first.meta.get("dataset", recipe.data))
    card = catalog.card(name)
    whose = [str(rec.meta.get("subject", "")) for rec in recordings]
    trained = {whose[i] for i in parts.train.recording_index}
    sizes = {"train": len(parts.train), "test": len(parts.test)}
    if parts.validation is not None:
        sizes["validation"] = len(parts.validation)
    some = parts.train.batch(range(min(64, len(parts.train))))
    content = b"".join(some[key].contiguous().numpy().tobytes() for key in _CONTENT if key in some)
    return DataFacts(
        title=card.title,
        licence=card.licence,
        citation=card.citation,
        url=card.url or f"https://doi.org/{card.doi}",
        recordings=len(recordings),
        subjects=len({*whose} - {""}),
        trained=len(trained - {""}),
        windows=sizes,
        fingerprint=hashlib.sha256(content).hexdigest()[:16],
        history=[line for line in first.meta.get("history", ()) if not line.startswith("load")],
    )


def told_of(data: str | None) -> dict[str, str]:
    """Say where data were read that the command line gave: the card's authors may not know them.

    Parameters
    ----------
    data : str, optional
        Another card, or a path.

    Returns
    -------
    dict
        For the model card; empty unless it is a path.

    Examples
    --------
    >>> told_of("a2929"), told_of(None)
    ({}, {})
    """
    if data is None or not Path(data).expanduser().exists():
        return {}
    return {"Data": f"read from {Path(data).name}, which was given for a copy of those of the card"}


def recipe_hash(recipe: PretrainRecipe | FinetuneRecipe) -> str:
    """Hash what a recipe does, with what was changed on the command line.

    Its title and its note do not count, and neither do settings that are the default.

    Parameters
    ----------
    recipe : PretrainRecipe or FinetuneRecipe
        The recipe.

    Returns
    -------
    str
        First 16 digits of its SHA-256.

    Examples
    --------
    >>> from neurokit.catalog.recipes import recipe
    >>> len(recipe_hash(recipe("eegformer-demo")))
    16
    """
    settings = recipe.model_dump(exclude_defaults=True, exclude={"title", "note"})
    content = json.dumps(settings, sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def model_card(
    recipe: PretrainRecipe | FinetuneRecipe,
    model: Pretrained,
    facts: DataFacts,
    figures: pd.DataFrame,
    training: Mapping[str, Any],
) -> str:
    """Write the card of a model from what was measured.

    Parameters
    ----------
    recipe : PretrainRecipe or FinetuneRecipe
        As it was run.
    model : Pretrained
        What came of it.
    facts : DataFacts
        Of its data.
    figures : DataFrame
        Held-out figures: a row a measure or a model, a column what it is compared with.
    training : mapping
        What else is to be told of the training, such as epochs done.

    Returns
    -------
    str
        Markdown.

    Examples
    --------
    >>> from neurokit.catalog.recipes import recipe
    >>> from neurokit.models.eegformer import EEGFormer, EEGFormerConfig
    >>> facts = DataFacts("Sample", "CC0-1.0", "Nobody (2020).", "https://example.org", 1, 0, 0,
    ...                   {"train": 3, "test": 1}, "0" * 16)
    >>> figures = pd.DataFrame({"trained": [0.5], "untrained": [0.1]}, index=["r2"])
    >>> model = EEGFormer(EEGFormerConfig.preset("tiny"))
    >>> card = model_card(recipe("eegformer-demo"), model, facts, figures, {"epochs": 1})
    >>> print(card.splitlines()[0])
    # eegformer-demo
    """
    family, n = type(model).__name__, sum(p.numel() for p in model.parameters())
    return "\n".join(
        [
            f"# {recipe.name}",
            "",
            f"{recipe.title}. {family}, {n:,} parameters: "
            f"`nk.models.{family}.from_pretrained(folder)` loads it from this folder, or by the "
            "folder's name where it lies on a shelf of models.",
            "",
            *_section("Data", _about_data(recipe, facts)),
            *_section("Training", _about_training(recipe, training)),
            "## Figures",
            "",
            _about_figures(figures),
            "",
            *_table(figures),
            "",
            *_section("Limits", _about_limits(recipe, facts)),
        ]
    )


def _section(title: str, lines: list[str]) -> list[str]:
    return [f"## {title}", "", *(f"- {line}" for line in lines), ""]


def _about_data(recipe: PretrainRecipe | FinetuneRecipe, facts: DataFacts) -> list[str]:
    many, one = _people(recipe)
    whose = {0: "", 1: f" of {one}"}.get(facts.subjects, f" of {facts.subjects} {many}")
    windows = ", ".join(f"{n:,} to {name}" for name, n in facts.windows.items())
    return [
        f"{facts.title} (card `{recipe.data}`, {facts.url}); licence {facts.licence}.",
        f"Cite: {facts.citation}",
        f"{facts.recordings} recording{'s' * (facts.recordings > 1)}{whose}; windows of "
        f"{recipe.windows.length:g} s{_past(recipe)}: {windows}.",
        f"Split by {recipe.split.by}: {_told(recipe)}.",
        f"Prepared by {'; '.join(facts.history) or 'nothing'}.",
        f"Fingerprint of the first training windows: `{facts.fingerprint}`.",
    ]


def _people(recipe: PretrainRecipe | FinetuneRecipe) -> tuple[str, str]:
    """Return what subjects are called: spikes are seldom of people."""
    return ("animals", "one animal") if recipe.windows.of_spikes else ("people", "one person")


def _past(recipe: PretrainRecipe | FinetuneRecipe) -> str:
    table = recipe.windows
    seen = [f"{seconds:g} s of {name}" for name, seconds in table.beside.items()]
    past = [] if table.history is None else [f"{table.history:g} s of spikes before them"]
    return f" that see {' and '.join([*past, *seen])}" if past else ""


def _told(recipe: PretrainRecipe | FinetuneRecipe) -> str:
    table = recipe.split
    if table.by == "time":
        kept = (
            f", the {table.validation_share:.0%} before it select" if table.validation_share else ""
        )
        return f"the last {table.test_share:.0%} of each recording test{kept}"
    others = ""
    if table.validation:
        others = f", {_some(table.validation)} select"
    elif table.validation_share:
        others = f", {table.validation_share:.0%} of the other {table.group}s select"
    tested = f"{table.test_share:.0%} drawn" if table.test_share else _some(table.test)
    return f"{tested} test{others}"


def _some(values: list[Any]) -> str:
    return ", ".join(map(str, values[:12])) + (" …" if len(values) > 12 else "")


def _about_training(
    recipe: PretrainRecipe | FinetuneRecipe, training: Mapping[str, Any]
) -> list[str]:
    table = recipe.training
    made = versions(_PACKAGES)
    packages = ", ".join(f"{name} {version}" for name, version in made["packages"].items())
    revision = f", revision {made['revision']}" if made["revision"] else ""
    return [
        f"Recipe `{recipe.name}`, hash `{recipe_hash(recipe)}`; seed {recipe.seed}.",
        f"AdamW, {table.epochs} epochs of batches of {table.batch_size}, learning rate "
        f"{table.lr:g} to {table.min_lr:g}, weight decay {table.weight_decay:g}.",
        *(f"{name}: {value}." for name, value in training.items()),
        f"neurokit {__version__}{revision}; {made['python']}; {packages}.",
    ]


def _about_limits(recipe: PretrainRecipe | FinetuneRecipe, facts: DataFacts) -> list[str]:
    whose, one = _people(recipe)
    n, what = (facts.trained, whose) if facts.trained else (facts.recordings, "recordings")
    seen = f"{n} {what}" if n != 1 else {whose: one, "recordings": "one recording"}[what]
    other = (
        "units, probes and animals" if recipe.windows.of_spikes else "devices, montages and people"
    )
    return [
        *([recipe.note] if recipe.note else []),
        f"It learned from {seen} of one data set; other {other} are other data.",
        "For research, and for no clinical decision.",
    ]


def _about_figures(figures: pd.DataFrame) -> str:
    text = "On held-out windows, which no part of this training has seen"
    text += "; an r2 of 0 is what their mean attains." if "r2" in figures.index else "."
    if "bits_per_spike" in figures.index:
        return text + (
            " id_loss is in nats a token, for the next unit or the end of the window; "
            "bits_per_spike is what is gained over each unit's mean rate in these windows."
        )
    if "random weights" in figures.columns:
        text += (
            " With random weights inputs are standardised and codes start by k-means as in "
            "training, but encoder and decoder have learned nothing."
        )
    return text


def _table(figures: pd.DataFrame) -> list[str]:
    """Render a table of figures in Markdown."""
    rows = [["", *map(str, figures.columns)]]
    for name, values in figures.iterrows():
        rows.append([str(name), *(_number(value) for value in values)])
    head, *body = ["| " + " | ".join(row) + " |" for row in rows]
    return [head, "|" + " --- |" * len(rows[0]), *body]


def _number(value: Any) -> str:
    if pd.isna(value):
        return ""
    return f"{value:,.0f}" if float(value).is_integer() and abs(value) >= 2 else f"{value:.3f}"

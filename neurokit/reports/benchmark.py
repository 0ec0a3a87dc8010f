"""The score of a benchmark as a finding."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from neurokit.plotting import brain_scatter, layer_curve, score_distribution, score_strip
from neurokit.reports.finding import Finding, Outcome
from neurokit.reports.wording import number

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes

__all__ = ["benchmark_finding"]

_MAX_ROWS = 24
# Rivals in the order in which a sceptic would name them.
_SCEPTIC = ("nuisance", "untrained", "content-free", "permuted")
_VIEWS = ("from above", "from the right", "from behind")
_RIDGE = (
    "Hoerl AE, Kennard RW (1970). Ridge regression: biased estimation for nonorthogonal "
    "problems. Technometrics 12:55-67. doi:10.1080/00401706.1970.10488634"
)
_LEAKAGE = (
    "Feghhi E, Hadidi N, Song B, Blank IA, Kao JC (2024). What are large language models mapping "
    "to in the brain? A case against over-reliance on brain scores. arXiv:2406.01538"
)


def benchmark_finding(score: xr.Dataset, name: str = "") -> Finding:
    """Sum up what a benchmark returned.

    Parameters
    ----------
    score : Dataset
        Of :meth:`neurokit.alignment.benchmarks.Benchmark.score`.
    name : str
        Short name; by default benchmark and model.

    Returns
    -------
    Finding
        With the highest rival as baseline, the layer curve, regions and places as figures.

    Examples
    --------
    >>> from neurokit.alignment.benchmarks import benchmark
    >>> found = benchmark_finding(benchmark("haxby-words").score("length"))
    >>> found.name, found.baseline[0]
    ('haxby-words: length', 'nuisance')
    """
    facts = score.attrs
    rivals = _rivals(score)
    ceiling = float(score["ceiling"])
    return Finding(
        question=f"How well does {facts['model']} predict {facts['title'][0].lower()}"
        f"{facts['title'][1:]}?",
        measure=_measure(facts),
        value=float(score["raw"]),
        unit=str(facts["metric"]),
        data=str(facts["data"]),
        interval=_interval(score),
        interval_of=f"95 %, {facts['interval']}",
        chance=float(facts["chance"]),
        baseline=max(rivals, key=lambda rival: rival[1]) if rivals else None,
        ceiling=ceiling if np.isfinite(ceiling) else None,
        ceiling_note=str(facts["ceiling_note"]) or str(facts["ceiling_kind"]),
        n_samples=int(facts["n_presentations"]),
        split=str(facts["split"]),
        seed=int(facts["seed"]),
        p_value=float(score["p"]) if "p" in score else None,
        caveat=str(facts["leakage"]),
        method=_method(score),
        citations=(_RIDGE, _LEAKAGE) if "draw" in score.dims else (_RIDGE,),
        code=_code(facts),
        details=_details(score),
        figures=_figures(score),
        name=name or f"{facts['benchmark']}: {facts['model']}",
        outcome=Outcome("bad", "The split leaks") if facts["leakage_flagged"] else None,
    )


def _rivals(score: xr.Dataset) -> list[tuple[str, float]]:
    names = score["baseline"].values.tolist()
    return [
        (name, value)
        for name in _SCEPTIC
        if name in names and np.isfinite(value := float(score["baseline_score"].sel(baseline=name)))
    ]


def _measure(facts: dict[str, Any]) -> str:
    what = {
        "r": "correlation of prediction and response",
        "R2": "out-of-sample R²",
        "delta-R2": "R² over that of nuisance features",
        "2v2": "share of pairs told apart",
        "rsa-spearman": "rank correlation of dissimilarities",
        "odd-one-out": "share of choices made as people made them",
    }[facts["metric"]]
    return what if facts["n_units"] == 1 else f"{facts['aggregate']} {what}"


def _interval(score: xr.Dataset) -> tuple[float, float] | None:
    low, high = float(score["low"]), float(score["high"])
    return (low, high) if np.isfinite([low, high]).all() else None


def _method(score: xr.Dataset) -> str:
    facts = score.attrs
    text = f"Benchmark {facts['benchmark']} (suite {facts['suite']} {facts['suite_version']}, "
    text += f"protocol {facts['protocol']}), {facts['split']}."
    if score.sizes["layer"] > 1:
        text += (
            f" Of {score.sizes['layer']} layers the headline uses, in each fold, the one that did "
            "best inside its training data; the curve shows all of them on the test data."
        )
    text += (
        f" Configuration {facts['configuration_hash'][:12]}, data {facts['data_hash'][:12]}, "
        f"revision {facts['revision'] or 'unknown'}, {facts['machine']}."
    )
    return text


def _code(facts: dict[str, Any]) -> str:
    protocol = "" if facts["protocol"] == "ours" else f", protocol={facts['protocol']!r}"
    return (
        "import neurokit as nk\n\n"
        f"bench = nk.alignment.benchmark({facts['benchmark']!r}{protocol})\n"
        f"score = bench.score({facts['model']!r}, seed={facts['seed']})\n"
        'nk.report(score, path="report.html")'
    )


def _details(score: xr.Dataset) -> dict[str, float]:
    rivals = zip(
        score["baseline"].values.tolist(), score["baseline_score"].values.tolist(), strict=True
    )
    found = {f"{name} ({score.attrs['metric']})": float(value) for name, value in rivals}
    found["score / ceiling"] = float(score["normalised"])
    named = {"unique_R2": "R² added to nuisance features", "ceiling_low": "lower ceiling"}
    found |= {text: float(score[key]) for key, text in named.items() if key in score}
    if "other_metric" in score.dims:
        others = zip(score["other_metric"].values, score["other_score"].values, strict=True)
        found |= {str(metric): float(value) for metric, value in others}
    return {key: value for key, value in found.items() if np.isfinite(value)}


def _figures(score: xr.Dataset) -> dict[str, Callable[[Axes], Any]]:
    figures: dict[str, Callable[[Axes], Any]] = {}
    if score.sizes["layer"] > 1:
        figures["Score of each layer on held-out data"] = partial(_curve, score)
    regions = score[["unit_score", "unit_ceiling"]].groupby("region").mean()
    if 1 < regions.sizes["region"] <= _MAX_ROWS:
        figures["Score of each region"] = partial(_regions, score, regions)
    elif score.sizes["unit"] > 1:
        figures["Score over neuroids"] = partial(_spread, score)
    if {"x", "y", "z"} <= set(score.coords) and np.isfinite(score["x"].values).any():
        for view in _VIEWS:
            figures[f"Scores where they were measured, {view}"] = partial(_places, score, view)
    return figures


def _curve(score: xr.Dataset, ax: Axes) -> None:
    names, counts = np.unique(score["chosen"].values, return_counts=True)
    ceiling = float(score["ceiling"])
    low = float(score["ceiling_low"]) if "ceiling_low" in score else ceiling
    layer_curve(
        score["layer_score"].values,
        score["layer"].values.tolist(),
        ax,
        spread=score["layer_fold_score"].std("fold").values if score.sizes["fold"] > 1 else None,
        ceiling=(low, ceiling),
        baselines={n: v for n, v in _rivals(score) if n in ("nuisance", "permuted")},
        untrained=score["untrained_layer_score"].values
        if "untrained_layer_score" in score
        else None,
        chosen=names[counts.argmax()],
        label=str(score.attrs["metric"]),
    )


def _regions(score: xr.Dataset, table: xr.Dataset, ax: Axes) -> None:
    order = np.argsort(-table["unit_score"].values)
    values = table["unit_score"].values[order]
    named = zip(table["region"].values[order], values, strict=True)
    names = [f"{name} {number(value)}" for name, value in named]
    score_strip(
        values,
        names,
        ax,
        chance=float(score.attrs["chance"]),
        ceiling=table["unit_ceiling"].values[order],
        label=str(score.attrs["metric"]),
    )
    ax.figure.set_size_inches(4.8, 0.9 + 0.28 * len(names))  # type: ignore[union-attr]


def _spread(score: xr.Dataset, ax: Axes) -> None:
    chance, label = float(score.attrs["chance"]), str(score.attrs["metric"])
    score_distribution(score["unit_score"].values, ax, chance=chance, label=label)


def _places(score: xr.Dataset, view: str, ax: Axes) -> None:
    x, y, z = (score[axis].values for axis in "xyz")
    label = str(score.attrs["metric"])
    brain_scatter(score["unit_score"].values, x, y, z, ax, view=view, label=label)

"""The scores of an encoding model as a finding."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from neurokit.errors import DataError
from neurokit.plotting import score_distribution, score_strip
from neurokit.reports.finding import Finding, Outcome
from neurokit.reports.wording import number

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

__all__ = ["encoding_finding"]

_LEVEL = 0.05
# Rows that stay legible in one figure; more targets are shown as a distribution.
_MAX_ROWS = 24
_BENJAMINI = (
    "Benjamini Y, Hochberg Y (1995). Controlling the false discovery rate: a practical and "
    "powerful approach to multiple testing. J. R. Stat. Soc. B 57:289-300. "
    "doi:10.1111/j.2517-6161.1995.tb02031.x"
)
_RIDGE = (
    "Hoerl AE, Kennard RW (1970). Ridge regression: biased estimation for nonorthogonal "
    "problems. Technometrics 12:55-67. doi:10.1080/00401706.1970.10488634"
)


def encoding_finding(result: xr.Dataset, name: str = "") -> Finding:
    """Sum up what :func:`neurokit.alignment.encode` returned.

    Parameters
    ----------
    result : Dataset
        With ``r`` over ``target``; ``q``, ``r_low``, ``r_high``, ``ceiling``, ``R2`` and the
        attributes that say how it was made are used where they are there.
    name : str
        Short name of the result.

    Returns
    -------
    Finding
        With one target its r and interval; with more the median r, which has no interval
        because targets are no independent sample.

    Raises
    ------
    DataError
        If there is no ``r`` over ``target``.

    Examples
    --------
    >>> import xarray as xr
    >>> one = xr.Dataset({"r": ("target", [0.4]), "q": ("target", [0.01])}, attrs={"seed": 3})
    >>> found = encoding_finding(one)
    >>> found.value, found.seed, found.judge().text
    (0.4, 3, 'q < .05 in 1 of 1 target')
    """
    if "r" not in result.data_vars or result["r"].dims != ("target",):
        raise DataError(
            "Expected a Dataset with a variable 'r' of dims ('target',), as nk.alignment.encode "
            f"returns; got variables {', '.join(map(str, result.data_vars)) or 'none'}."
        )
    r = _values(result, "r")
    facts = result.attrs
    single = len(r) == 1
    return Finding(
        question=f"How well do the features predict {_plural(len(r))} on held-out samples?",
        measure="correlation of prediction and data" if single else "median correlation",
        value=_median(r),
        unit="r",
        interval=_interval(result) if single else None,
        interval_of=_interval_of(facts, single),
        chance=float(facts.get("chance", 0.0)),
        ceiling=_median(_values(result, "ceiling")) if "ceiling" in result else None,
        ceiling_note="given to encode" if "ceiling" in result else "none was given to encode",
        n_samples=int(facts["n_samples"]) if "n_samples" in facts else None,
        split=str(facts.get("split", "")),
        seed=int(facts["seed"]) if "seed" in facts else None,
        caveat=(
            "A correlation says that the features carry information about the response, not that "
            "the brain computes them. No rival set of features was compared here."
        ),
        method=_method(facts, "q" in result, "gamma" in result),
        citations=(_RIDGE, _BENJAMINI) if "q" in result else (_RIDGE,),
        code=_code(facts, result["band"].values.tolist() if "band" in result.coords else []),
        details=_details(result),
        figures=_figures(result),
        name=name,
        answer=_answer(result),
        outcome=_outcome(result),
    )


def _values(result: xr.Dataset, name: str) -> NDArray[np.float64]:
    values = result[name]
    return np.asarray(values.broadcast_like(result["r"]).values, float)


def _median(values: NDArray[np.float64]) -> float:
    return float(np.nanmedian(values)) if np.isfinite(values).any() else float("nan")


def _plural(count: int) -> str:
    return f"{count:,} target" + ("" if count == 1 else "s")


def _past(result: xr.Dataset) -> NDArray[np.bool_] | None:
    if "q" not in result:
        return None
    return (_values(result, "q") < _LEVEL) & (_values(result, "r") > 0)


def _interval(result: xr.Dataset) -> tuple[float, float] | None:
    if "r_low" not in result or "r_high" not in result:
        return None
    return float(_values(result, "r_low")[0]), float(_values(result, "r_high")[0])


def _interval_of(facts: dict[str, Any], single: bool) -> str:
    if "interval_unit" not in facts:
        return ""
    share = f"{100 * float(facts.get('confidence', 0.95)):g} %"
    over = f"{share}, bootstrap over {facts['interval_units']} units, {facts['interval_unit']}"
    return over if single else f"one for each target, r_low to r_high; {over}"


def _answer(result: xr.Dataset) -> str:
    r, past = _values(result, "r"), _past(result)
    if len(r) == 1 or not np.isfinite(r).any():
        return ""
    text = (
        f"The median correlation over {_plural(len(r))} is {number(_median(r))}, the best "
        f"{number(float(np.nanmax(r)))}"
    )
    if past is not None:
        text += f"; {past.sum():,} of {len(r):,} are above chance at q < .05"
    return f"{text}."


def _outcome(result: xr.Dataset) -> Outcome | None:
    past = _past(result)
    if past is None or not np.isfinite(_values(result, "r")).any():
        return None
    kind = "good" if past.any() else "open"
    return Outcome(kind, f"q < .05 in {past.sum():,} of {_plural(len(past))}")  # type: ignore[arg-type]


def _details(result: xr.Dataset) -> dict[str, float]:
    named = {"R2": "median R²", "r_normalised": "median r / ceiling"}
    found = {text: _median(_values(result, key)) for key, text in named.items() if key in result}
    r = _values(result, "r")
    if len(r) > 1 and np.isfinite(r).any():
        low, high = np.nanquantile(r, [0.25, 0.75])
        found |= {"lower quartile of r": float(low), "upper quartile of r": float(high)}
    return found


def _method(facts: dict[str, Any], tested: bool, banded: bool) -> str:
    text = "Responses were predicted by cross-validated ridge regression with one penalty a target"
    if banded:
        text += " and band of features"
    if "selection" in facts:
        text += f", chosen within training samples ({facts['selection']})"
    if "split" in facts:
        text += f"; scores are means over {facts['split']}"
    text += "."
    if tested:
        drawn = f" ({facts['n_permutations']:,} draws)" if "n_permutations" in facts else ""
        text += (
            f" One-sided permutation tests{drawn} were corrected over targets by false discovery "
            "rate."
        )
    return text


def _code(facts: dict[str, Any], bands: list[str]) -> str:
    """Write the call back from what the result says of itself."""
    shown = ("delays", "selection", "block", "n_permutations", "n_bootstraps", "confidence", "seed")
    given = {key: facts[key] for key in shown if key in facts}
    # A list of one comes back from a file as a number.
    delays = np.atleast_1d(given.pop("delays", 0)).tolist()
    if delays != [0]:
        given = {"delays": delays, **given}
    if not facts.get("standardize", 1):
        given["standardize"] = False
    if bands:
        given["n_weightings"] = facts.get("n_weightings", 20)
    banded = f"    bands=bands,  # columns of x by name: {', '.join(bands)}\n" if bands else ""
    arguments = banded + "".join(f"    {key}={_literal(value)},\n" for key, value in given.items())
    split = f"  # cv: {facts['split']}" if "split" in facts else ""
    return (
        "import neurokit as nk\n\n"
        f"result = nk.alignment.encode(\n    x, y,{split}\n{arguments})\n"
        'nk.report(result, path="report.html")'
    )


def _literal(value: Any) -> str:
    return repr(value.tolist() if hasattr(value, "tolist") else value)


def _figures(result: xr.Dataset) -> dict[str, Callable[[Axes], Any]]:
    r = _values(result, "r")
    if not np.isfinite(r).any():
        return {}
    if len(r) > _MAX_ROWS:
        return {"Correlation over targets": lambda ax: _distribution(ax, result)}
    return {"Correlation of each target": lambda ax: _strip(ax, result)}


def _distribution(ax: Axes, result: xr.Dataset) -> None:
    chance = float(result.attrs.get("chance", 0.0))
    label = "r" if "q" not in result else "r (selected: q < .05)"
    score_distribution(_values(result, "r"), ax, selected=_past(result), chance=chance, label=label)


def _strip(ax: Axes, result: xr.Dataset) -> None:
    r = _values(result, "r")
    order = np.argsort(-np.nan_to_num(r, nan=-np.inf), kind="stable")
    names = result["target"].values if "target" in result.coords else np.arange(len(r))
    parts = {
        key: _values(result, key)[order] for key in ("r_low", "r_high", "ceiling") if key in result
    }
    score_strip(
        r[order],
        [str(names[i]) for i in order],
        ax,
        low=parts.get("r_low"),
        high=parts.get("r_high"),
        chance=float(result.attrs.get("chance", 0.0)),
        ceiling=parts.get("ceiling"),
        label="r",
    )
    ax.figure.set_size_inches(4.8, 0.9 + 0.28 * len(r))  # type: ignore[union-attr]

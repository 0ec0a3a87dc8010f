"""Responses of the language network to 1,000 sentences (Tuckute 2024)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from neurokit.arguments import known
from neurokit.datasets.assemblies.assembly import Assembly
from neurokit.datasets.assemblies.build import response_array
from neurokit.datasets.assemblies.files import find
from neurokit.datasets.tables import load_table
from neurokit.errors import ReadError

__all__ = ["read_tuckute2024"]

_PREFIX = "lang_LH_"
# The ceiling of the whole network was published for both hemispheres together.
_WHOLE = "lang_LHRH_netw"
# Those who read all 1,000 baseline sentences; the others judged what a model had chosen.
_PEOPLE = (848, 853, 865, 875, 876)
_LONG = ("item_id", "sentence", "roi", "target_UID", "cond", "response_target")


def read_tuckute2024(path: str | Path, *, subjects: str = "mean") -> Assembly:
    r"""Read the baseline sentences of Tuckute et al. (2024).

    Parameters
    ----------
    path : path
        Folder with ``bold_response_LH.csv`` (a row a sentence: ``item_id``, ``sentence`` and a
        column for each region of the left-hemisphere language network, the mean of five
        people) and ``noise_ceiling.csv`` (``roi`` and ``nc_r``, the ceiling of r); or the
        authors' folder ``data`` with ``brain-lang-data_participant_20230728.csv`` (a row a
        sentence, person and region: ``item_id``, ``sentence``, ``cond``, ``target_UID``,
        ``roi``, ``response_target``); or one of the tables.
    subjects : {"mean", "separate"}
        Of the authors' table: the mean of the five people, or a neuroid a person and region.

    Returns
    -------
    Assembly
        One neuroid a region; the network as a whole is ``lang_LH_netw``. Its ceiling is the
        one published for both hemispheres together; regions without one have NaN.

    Raises
    ------
    ReadError
        If the table has no such columns.

    Examples
    --------
    >>> _ = Path("bold.csv").write_text("item_id,sentence,lang_LH_IFG\nA,Hi.,0.5")
    >>> read_tuckute2024("bold.csv").responses["region"].values.tolist()
    ['IFG']
    """
    known("subjects", subjects, ("mean", "separate"))
    file = find(
        Path(path),
        ("bold_response_LH.csv", "**/brain-lang-data_participant_*.csv"),
        "the responses",
    )
    table = load_table(file)
    if "roi" in table:
        table = _wide(file, table, subjects)
    columns = [c for c in table.columns if c.partition(" ")[0].startswith(_PREFIX)]
    if not columns or not {"item_id", "sentence"} <= set(table.columns):
        raise ReadError(
            f"{file.name}: expected columns item_id, sentence and {_PREFIX}…; got "
            f"{list(table.columns)[:12]}."
        )
    rois = [c.partition(" ")[0] for c in columns]
    responses = response_array(
        table[columns].to_numpy(np.float32),
        {"stimulus_id": table["item_id"].astype(str)},
        {
            "neuroid_id": columns,
            "region": [r.removeprefix(_PREFIX) for r in rois],
            "subject": [c.partition(" ")[2] or "mean" for c in columns],
        },
    )
    stimuli = pd.DataFrame({"text": table["sentence"].to_numpy()}, table["item_id"].astype(str))
    stimuli["n_words"] = [len(str(text).split()) for text in stimuli["text"]]
    ceilings = file.with_name("noise_ceiling.csv")
    whole = subjects == "mean" and ceilings.is_file()
    return Assembly(
        "tuckute2024",
        responses,
        stimuli,
        ceiling=_ceiling(ceilings, rois) if whole else None,
        meta={"n_subjects": len(_PEOPLE), "ceiling_of_lang_LH_netw": _WHOLE},
    )


def _wide(file: Path, table: pd.DataFrame, subjects: str) -> pd.DataFrame:
    """Turn a row a sentence, person and region into a row a sentence."""
    missing = [c for c in _LONG if c not in table]
    if missing:
        raise ReadError(f"{file.name}: expected columns {', '.join(_LONG)}; {missing} are missing.")
    chosen = table[
        (table["cond"] == "B")
        & table["target_UID"].isin(_PEOPLE)
        & table["roi"].str.startswith(_PREFIX)
    ]
    if not len(chosen):
        raise ReadError(f"{file.name}: no baseline sentence (cond B) of {list(_PEOPLE)} is in it.")
    column = chosen["roi"]
    if subjects == "separate":
        column = column + " " + chosen["target_UID"].astype(str)
    keyed = chosen.assign(column=column)
    wide = keyed.pivot_table(index="item_id", columns="column", values="response_target")
    order = chosen.drop_duplicates("item_id")[["item_id", "sentence"]]
    return order.merge(wide.reset_index(), on="item_id")


def _ceiling(file: Path, regions: list[str]) -> xr.DataArray:
    table = load_table(file)
    if not {"roi", "nc_r"} <= set(table.columns):
        raise ReadError(f"{file.name}: expected columns roi and nc_r; got {list(table.columns)}.")
    published = dict(zip(table["roi"], table["nc_r"], strict=True))
    published.setdefault(f"{_PREFIX}netw", published.get(_WHOLE, np.nan))
    return xr.DataArray([published.get(r, np.nan) for r in regions], dims="neuroid")

"""Sentences and lists of nonwords that localise the language network (Fedorenko 2010)."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from neurokit.datasets.assemblies.assembly import Assembly
from neurokit.datasets.assemblies.files import find_all, read_texts
from neurokit.errors import ReadError

__all__ = ["read_fedorenko2010_localizer"]

_WORDS = [f"stim{i}" for i in range(2, 14)]
_KINDS = {"S": "sentence", "N": "nonwords"}


def read_fedorenko2010_localizer(path: str | Path) -> Assembly:
    r"""Read the stimuli of the language localiser.

    Parameters
    ----------
    path : path
        Folder of ``langloc_fmri_run1_stim_set1.csv`` and so on, or one such file: a trial a row,
        with twelve words ``stim2`` to ``stim13`` and ``stim14``, S for a sentence and N for a
        list of nonwords. So in Brain-Score Language's ``data/fedorenko2010_localization``.

    Returns
    -------
    Assembly
        Stimuli alone: ``text`` in lower case as models are shown it, ``category``
        (``sentence`` or ``nonwords``), ``run`` and ``set``.

    Raises
    ------
    ReadError
        If a file has other columns or kinds of trial.

    Examples
    --------
    >>> cells = ",".join(f"stim{i}" for i in range(1, 15))
    >>> _ = Path("langloc_fmri_run1_stim_set1.csv").write_text(f"{cells}\n1,{'A,' * 12}S")
    >>> read_fedorenko2010_localizer(".").stimuli["category"].tolist()
    ['sentence']
    """
    files = find_all(Path(path), "langloc_fmri_run*_stim_set*.csv", "lists of stimuli")
    stimuli = pd.concat([_trials(file) for file in files])
    return Assembly("fedorenko2010-localizer", None, stimuli, meta={"files": len(files)})


def _trials(file: Path) -> pd.DataFrame:
    table = read_texts(file, ",", [*_WORDS, "stim14"])
    unknown = sorted(set(table["stim14"]) - set(_KINDS))
    if unknown:
        raise ReadError(f"{file.name}: expected S or N in column stim14; got {unknown[:5]}.")
    name = file.stem.removeprefix("langloc_fmri_")
    run, _, number = name.partition("_stim_")
    return pd.DataFrame(
        {
            "text": table[_WORDS].agg(" ".join, axis=1).str.lower(),
            "category": table["stim14"].map(_KINDS),
            "run": run,
            "set": number,
        }
    ).set_axis([f"{run}.{number}.{i + 1}" for i in range(len(table))])

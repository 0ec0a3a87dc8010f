"""The published layouts, and one way to read them."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

from neurokit.arguments import path_of, text
from neurokit.datasets.assemblies.assembly import Assembly
from neurokit.errors import NeurokitError, ReadError, UnknownNameError

__all__ = ["LAYOUTS", "read_assembly"]

# Layout -> module and function.
LAYOUTS: dict[str, tuple[str, str]] = {
    "algonauts2023": ("algonauts2023", "read_algonauts2023"),
    "blank2014": ("brainio", "read_brainio"),
    "bold5000": ("bold5000", "read_bold5000"),
    "brainio": ("brainio", "read_brainio"),
    "fedorenko2010-localizer": ("langloc", "read_fedorenko2010_localizer"),
    "fedorenko2016": ("brainio", "read_brainio"),
    "haxby-slice": ("haxby", "read_haxby_slice"),
    "kay2008": ("kay2008", "read_kay2008"),
    "kriegeskorte92": ("kriegeskorte92", "read_kriegeskorte92"),
    "lebel2023": ("lebel2023", "read_lebel2023"),
    "majajhong2015": ("brainio", "read_brainio"),
    "narratives": ("narratives", "read_narratives"),
    "natural-stories": ("natural_stories", "read_natural_stories"),
    "nsd": ("nsd", "read_nsd"),
    "pereira2018": ("pereira2018", "read_pereira2018"),
    "things-behaviour": ("things", "read_things_behaviour"),
    "things-fmri": ("things_fmri", "read_things_fmri"),
    "things-meg": ("things_meg", "read_things_meg"),
    "tuckute2024": ("tuckute2024", "read_tuckute2024"),
    "wehbe2014": ("wehbe2014", "read_wehbe2014"),
}


def read_assembly(layout: str, path: str | Path, **kwargs: Any) -> Assembly:
    r"""Read brain responses and their stimuli from the files that were published.

    Parameters
    ----------
    layout : str
        Name of the data set or form, one of ``LAYOUTS``. Language: ``tuckute2024``,
        ``pereira2018``, ``blank2014``, ``fedorenko2016``, ``fedorenko2010-localizer``,
        ``natural-stories``, ``wehbe2014``, ``lebel2023``, ``narratives``. Images: ``nsd``,
        ``algonauts2023``, ``bold5000``, ``kay2008``, ``majajhong2015``, ``kriegeskorte92``,
        ``haxby-slice``, ``things-behaviour``, ``things-fmri``, ``things-meg``. Any other
        NetCDF assembly of Brain-Score: ``brainio``.
    path : path
        File or folder.
    **kwargs
        Passed to the layout's reader, such as ``subject=`` or ``region=``; each reader, for
        instance :func:`neurokit.datasets.assemblies.nsd.read_nsd`, says what it takes, where
        its layout is described, and what could not be confirmed.

    Returns
    -------
    Assembly
        Checked.

    Raises
    ------
    UnknownNameError
        If no layout has this name.
    ReadError
        If files are missing, damaged or laid out in another way; the message names the file.
    DataError
        If their content contradicts itself.

    Examples
    --------
    >>> _ = Path("bold.csv").write_text("item_id,sentence,lang_LH_netw\nA,It rains.,0.5")
    >>> read_assembly("tuckute2024", "bold.csv")
    <Assembly tuckute2024: 1 presentations of 1 stimuli (text) × 1 neuroids>
    """
    if text("layout", layout) not in LAYOUTS:
        raise UnknownNameError("layout", layout, LAYOUTS)
    path = path_of("path", path).expanduser()
    if not path.name or not path.exists():
        raise ReadError(f"There is no file or folder {path}. Give where {layout} lies.")
    if path.suffix in (".pkl", ".pickle", ".p"):
        raise ReadError(
            f"{path.name} is a pickle, which may run code when it is read, and is refused. Save "
            "its arrays as npz, its tables as csv, with the program that wrote it."
        )
    module, function = LAYOUTS[layout]
    reader: Any = getattr(importlib.import_module(f"{__package__}.{module}"), function)
    if function == "read_brainio" and layout != "brainio":
        kwargs.setdefault("name", layout)
    try:
        return reader(path, **kwargs)
    except NeurokitError:
        raise
    except Exception as error:
        # Parsers raise anything on damaged input; a lab needs the file's name and one line.
        reason = " ".join(str(error).split())[:300]
        if isinstance(error, TypeError) and "unexpected keyword" in reason:
            raise ReadError(
                f"The reader of {layout} does not take these: {sorted(kwargs)}."
            ) from error
        if isinstance(error, TypeError) and "required keyword-only" in reason:
            raise ReadError(f"The reader of {layout} needs{reason.partition(':')[2]}=.") from error
        raise ReadError(
            f"{path}: cannot be read as {layout}: {type(error).__name__}: {reason}"
        ) from error

"""From findings to one HTML file."""

from __future__ import annotations

import contextlib
import hashlib
import os
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neurokit.errors import NeurokitError
from neurokit.reports.finding import Finding, Outcome, as_findings
from neurokit.reports.provenance import provenance

__all__ = ["report"]


@dataclass(frozen=True)
class _Source:
    """A data set's card, as far as a report quotes it."""

    title: str
    licence: str
    citation: str
    doi: str
    sha256: str


def report(
    results: Any,
    path: str | os.PathLike[str] = "report.html",
    *,
    title: str = "What the recordings say",
    wall_time: float | None = None,
) -> Path:
    """Write results as one self-contained HTML file, which loads nothing from anywhere.

    Parameters
    ----------
    results : object, Dataset, sequence or mapping
        Answers (see :class:`~neurokit.reports.Finding` for the attributes), the Dataset of
        :func:`neurokit.alignment.encode`, the score of a benchmark, several of them,
        or a mapping from names to them.
    path : path-like
        The file; replaced whole or not at all. Missing folders are made.
    title : str
        Heading of the report.
    wall_time : float, optional
        Seconds that the results took, for the table of provenance.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    DataError
        If `results` holds no result.
    OSError
        If the file cannot be written; what was there before is intact.

    Examples
    --------
    >>> import tempfile
    >>> from neurokit.reports import Finding
    >>> coin = Finding("Fair?", "share of heads", 0.52, interval=(0.42, 0.62), chance=0.5)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     report(coin, f"{folder}/coin.html").stat().st_size > 5_000
    True
    """
    findings = as_findings(results)
    return _write(_render(findings, title, wall_time), Path(path))


def _render(findings: list[Finding], title: str, wall_time: float | None) -> str:
    from importlib.resources import files

    import jinja2

    from neurokit.reports import wording

    environment = jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        number=wording.number,
        quantity=wording.quantity,
        spread=wording.spread,
        why=lambda note: note.removeprefix("none").lstrip(": ") or "not told",
    )
    template = files("neurokit.reports").joinpath("template.html").read_text(encoding="utf-8")
    facts = provenance()
    sources = {f.data: source for f in findings if f.data and (source := _source(f.data))}
    dois = {source.citation: source.doi for source in sources.values()}
    entries, cited = wording.references(findings, dois)
    outcomes = [finding.judge() for finding in findings]
    return environment.from_string(template).render(
        title=title,
        facts=facts,
        tally=_tally(outcomes),
        results=[
            _section(finding, outcome, numbers, sources.get(finding.data))
            for finding, outcome, numbers in zip(findings, outcomes, cited, strict=True)
        ],
        references=entries,
        provenance=_provenance_rows(facts, findings, sources, wall_time),
    )


def _section(
    finding: Finding, outcome: Outcome, cited: list[int], source: _Source | None
) -> dict[str, Any]:
    from neurokit.reports.pictures import marks, pictures, strip_text
    from neurokit.reports.wording import sentence

    return {
        "finding": finding,
        "outcome": outcome,
        "sentence": sentence(finding),
        "source": source,
        "cited": cited,
        "marks": {mark.kind: mark.position for mark in marks(finding)},
        "strip_text": strip_text(finding),
        "pictures": pictures(finding),
    }


def _tally(outcomes: list[Outcome]) -> str:
    """Say in one line how the results turned out."""
    words = {"good": "clear", "open": "left open", "bad": "failed"}
    counts = {kind: sum(o.kind == kind for o in outcomes) for kind in words}
    parts = [f"{count} {words[kind]}" for kind, count in counts.items() if count]
    total = len(outcomes)
    return f"{total} result{'' if total == 1 else 's'}: {', '.join(parts)}."


def _source(name: str) -> _Source | None:
    """Look a data set's card up; what is no name of a card is a description."""
    from neurokit.catalog import card

    try:
        found = card(name)
    except NeurokitError:
        return None
    digest = hashlib.sha256(found.source.read_bytes()).hexdigest() if found.source else ""
    return _Source(found.title, found.licence, found.citation, found.doi or "", digest)


def _provenance_rows(
    facts: dict[str, Any],
    findings: Iterable[Finding],
    sources: dict[str, _Source],
    wall_time: float | None,
) -> list[tuple[str, str]]:
    seeds = sorted({finding.seed for finding in findings if finding.seed is not None})
    memory = f", {facts['memory']:g} GiB of memory" if facts["memory"] else ""
    rows = [
        ("neurokit", facts["neurokit"]),
        ("Git revision", facts["revision"] or "not a checkout"),
        ("Python", facts["python"]),
        ("System", facts["system"]),
        ("Hardware", f"{facts['processor']}, {facts['cores']} cores{memory}"),
        ("Packages", ", ".join(f"{k} {v}" for k, v in facts["packages"].items())),
        ("Seeds", ", ".join(map(str, seeds)) or "none"),
        ("Wall time", "not recorded" if wall_time is None else f"{wall_time:.1f} s"),
        ("Date", facts["date"]),
    ]
    return rows + [(f"Card {name}", f"sha256 {s.sha256}") for name, s in sources.items()]


def _write(text: str, path: Path) -> Path:
    partial = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("x", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        raise OSError(
            error.errno,
            f"Could not write the report to {path}: {error.strerror or error}. "
            "What was there before is intact; give another path",
        ) from error
    finally:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
    return path

"""Reading a TOML file into a checked object, with errors that name file and field."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, PrivateAttr, ValidationError

from neurokit.errors import ReadError, suggest

__all__ = ["Schema", "read_toml"]

# A card is a page of text; anything larger is another file with the wrong ending.
_MAX_BYTES = 1 << 20


class Schema(BaseModel):
    """Base of everything on the shelf: unknown keys and loose types are errors."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)

    _source: Path | None = PrivateAttr(default=None)

    @property
    def source(self) -> Path | None:
        """The TOML file this came from; ``None`` when made in Python."""
        return self._source


S = TypeVar("S", bound=Schema)


def read_toml(path: str | Path, schema: type[S]) -> S:
    """Read one TOML file and check it against a schema.

    Parameters
    ----------
    path : str or pathlib.Path
        The file, UTF-8, with or without a byte-order mark.
    schema : type of Schema
        What it must be.

    Returns
    -------
    Schema
        The checked object, whose ``source`` is the file.

    Raises
    ------
    ReadError
        Not TOML, or a field is unknown, missing or of the wrong type. One line,
        which names the file and the field.

    Examples
    --------
    >>> from neurokit.catalog import Card, find
    >>> read_toml(find("datasets", "sleep-edf"), Card).layout
    'edf'
    """
    path = Path(path)
    table = _parse(path)
    try:
        checked = schema.model_validate(table)
    except ValidationError as error:
        raise ReadError(f"{path}: {_first_problem(error, schema)}") from None
    checked._source = path.resolve()
    return checked


def _parse(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise ReadError(f"{path}: expected at most {_MAX_BYTES} bytes of TOML.")
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ReadError(f"{path}: not valid TOML: {error}") from None
    except OSError as error:
        raise ReadError(f"{path}: cannot be read: {error.strerror}.") from error


def _first_problem(error: ValidationError, schema: type[Schema]) -> str:
    problems = error.errors(include_url=False, include_context=False)
    # A key that is misspelt is missing, too, and the slip is what there is to mend.
    problems.sort(key=lambda problem: problem["type"] != "extra_forbidden")
    first, more = problems[0], len(problems) - 1
    field = ".".join(str(part) for part in first["loc"]) or "the whole file"
    text = f"field '{field}': {_explain(first, schema)}"
    return text + (f" ({more} more problem{'s' * (more > 1)})" if more else "")


def _explain(problem: Any, schema: type[Schema]) -> str:
    match problem["type"]:
        case "extra_forbidden":
            known = _fields_at(schema, problem["loc"][:-1])
            return "unknown." + suggest(str(problem["loc"][-1]), known, limit=20)
        case "missing":
            return "missing. It must be given."
        case "value_error":
            return str(problem["msg"]).removeprefix("Value error, ")
        case _:
            said = str(problem["msg"]).replace("Input should be", "expected", 1)
            return f"{said[0].lower()}{said[1:]}; got {problem['input']!r}."


def _fields_at(schema: type[Schema], location: tuple[int | str, ...]) -> list[str]:
    """List the keys of the (nested) table at `location`, empty where it has none."""
    node: Any = schema.model_json_schema()
    definitions = node.get("$defs", {})
    for part in location:
        if part in (kinds := node.get("discriminator", {}).get("mapping", {})):
            node = definitions[kinds[part].rsplit("/", 1)[-1]]
            continue
        node = node["items"] if isinstance(part, int) else node["properties"][part]
        node = next((n for n in node.get("anyOf", [node]) if "$ref" in n), node)
        if "$ref" in node:
            node = definitions[node["$ref"].rsplit("/", 1)[-1]]
    return list(node.get("properties", {}))

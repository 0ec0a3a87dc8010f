"""The shelf: cards, recipes and benchmarks, as TOML files a lab can read and add to.

Finding files is light; the checked schemas load pydantic on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from neurokit.catalog.benchmarks import BenchmarkCard, benchmark_card
    from neurokit.catalog.cards import Card, card, read_card
    from neurokit.catalog.fields import Expect, RemoteFile
    from neurokit.catalog.folders import Kind, find, names, shelf, shelves
    from neurokit.catalog.schema import Schema, read_toml

__all__ = [
    "BenchmarkCard",
    "Card",
    "Expect",
    "Kind",
    "RemoteFile",
    "Schema",
    "benchmark_card",
    "card",
    "find",
    "names",
    "read_card",
    "read_toml",
    "shelf",
    "shelves",
]

__getattr__, __dir__, _ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "benchmarks": ["BenchmarkCard", "benchmark_card"],
        "cards": ["Card", "card", "read_card"],
        "fields": ["Expect", "RemoteFile"],
        "folders": ["Kind", "find", "names", "shelf", "shelves"],
        "schema": ["Schema", "read_toml"],
    },
)

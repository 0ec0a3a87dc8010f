"""Configurations come back from JSON equal to what they were, or not at all."""

import json
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pytest

from neurokit.errors import DataError, ReadError
from neurokit.models.nn.settings import plain, restored


@dataclass(frozen=True)
class Layer:
    kernels: tuple[int, ...]
    scale: float = 1.0


@dataclass(frozen=True)
class Settings:
    width: int
    kind: Literal["a", "b"] = "a"
    rate: float | None = None
    names: tuple[str, ...] = ()
    pair: tuple[int, str] = (1, "x")
    layers: tuple[Layer, ...] = ()
    first: Layer | None = None
    nested: tuple[tuple[int, ...], ...] = ()
    either: int | tuple[int, ...] = 0
    table: dict[str, tuple[int, ...]] = field(default_factory=dict)
    free: dict[str, Any] = field(default_factory=dict)
    sizes: list[int] = field(default_factory=list)
    on: bool = False

    def __post_init__(self):
        if self.width < 1:
            raise DataError(f"width is {self.width}, expected 1 or more.")


FULL = Settings(
    width=3,
    kind="b",
    rate=0.5,
    names=("C3", "C4"),
    pair=(2, "y"),
    layers=(Layer((3, 5)), Layer((), 2.0)),
    first=Layer((1,)),
    nested=((1, 2), (), (3,)),
    either=(1, 2),
    table={"s1": (10, 9)},
    free={"deep": [1, {"a": None}]},
    sizes=[1, 2],
    on=True,
)


@pytest.mark.parametrize("config", [FULL, Settings(1), Settings(1, either=4, rate=2)])
def test_they_come_back_equal(config):
    text = json.dumps(plain(config))
    assert restored(Settings, json.loads(text), "here") == config


def test_numbers_of_numpy_become_plain():
    config = Settings(np.int64(4), rate=np.float32(0.5), sizes=[np.int32(2)])
    assert restored(Settings, json.loads(json.dumps(plain(config))), "here") == config


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"widht": 3}, "Unknown setting 'widht' in here. Did you mean 'width'"),
        ({"width": "3"}, "Setting 'width' in here is '3', expected int"),
        ({"width": True}, "'width' in here is True"),
        ({"width": 0}, "settings in here make no model: width is 0"),
        ({"on": 1}, "'on' in here is 1, expected bool"),
        ({"kind": "c"}, "'kind' in here is 'c', expected .*'a', 'b'"),
        ({"rate": "fast"}, r"'rate' in here is 'fast', expected float \| None"),
        ({"pair": [1]}, "'pair' in here"),
        ({"pair": ["y", 1]}, "'pair' in here"),
        ({"names": "C3"}, "'names' in here is 'C3'"),
        ({"nested": [1]}, "'nested' in here"),
        ({"table": [1]}, "'table' in here"),
        ({"layers": [{"kernel": [1]}]}, "Unknown setting 'kernel'"),
        ({"layers": [3]}, r"'layers' in here is \[3\], expected tuple"),
        ({"first": 3}, r"'first' in here is 3, expected .*Layer \| None"),
    ],
)
def test_what_does_not_fit_is_named(change, message):
    with pytest.raises(ReadError, match=message):
        restored(Settings, {"width": 1, **change}, "here")


def test_what_is_missing_is_named():
    with pytest.raises(ReadError, match="make no model: .*'width'"):
        restored(Settings, {}, "here")
    with pytest.raises(ReadError, match="expected settings by name"):
        restored(Settings, [1], "here")

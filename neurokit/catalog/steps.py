"""Steps of preparation that recipes may name."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from neurokit.catalog.schema import Schema

__all__ = ["Standardize", "Step"]

_Positive = Annotated[float, Field(gt=0)]
_Count = Annotated[int, Field(ge=1)]
_Text = Annotated[str, Field(min_length=1)]


class _Pick(Schema):
    """Keep these channels or variables, in this order; ``T3`` and ``T7`` are the same site."""

    step: Literal["pick"]
    channels: Annotated[list[_Text], Field(min_length=1)]
    stream: str = ""


class _Crop(Schema):
    """Keep what lies between two seconds, of all streams and events."""

    step: Literal["crop"]
    start: float | None = None
    stop: float | None = None

    @model_validator(mode="after")
    def _check(self) -> _Crop:
        if self.start is None and self.stop is None:
            raise ValueError("give start, stop or both, in seconds.")
        return self


class _Direction(Schema):
    """Replace a direction in radians, which jumps, by its cosine and sine, which do not."""

    step: Literal["direction"]
    variable: _Text
    stream: str = ""


class _Montage(Schema):
    """Derive the bipolar channels of the Temple University corpora."""

    step: Literal["tcp"]


class _Filter(Schema):
    """Pass what lies between two frequencies, in Hz."""

    step: Literal["filter"]
    low: _Positive | None = None
    high: _Positive | None = None


class _Notch(Schema):
    """Take out the mains and its harmonics; by default the frequency that the data state."""

    step: Literal["notch"]
    frequency: _Positive | None = None
    harmonics: _Count | None = None


class _Resample(Schema):
    """Change the sampling rate, in Hz."""

    step: Literal["resample"]
    sampling_rate: _Positive
    stream: str = ""


class _Rereference(Schema):
    """Refer channels to others of their head or shaft."""

    step: Literal["rereference"]
    reference: Literal["average", "bipolar", "laplacian", "shaft"] = "average"


class Standardize(Schema):
    """z-scores, a channel at a time: of the training windows alone, or of each recording."""

    step: Literal["standardize"]
    over: Literal["train", "recording"] = "train"


#: Where a step has a ``stream``, it is that of the windows unless the recipe names another.
Step = Annotated[
    _Pick
    | _Crop
    | _Direction
    | _Montage
    | _Filter
    | _Notch
    | _Resample
    | _Rereference
    | Standardize,
    Field(discriminator="step"),
]

"""How a recipe cuts recordings into windows, of samples or of spikes."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from neurokit.catalog.schema import Schema

__all__ = ["WindowsTable"]

_Positive = Annotated[float, Field(gt=0)]
_Count = Annotated[int, Field(ge=1)]
_Text = Annotated[str, Field(min_length=1)]


_OF_SPIKES = ("dt", "beside", "targets", "max_spikes")


class WindowsTable(Schema):
    """How recordings are cut.

    Attributes
    ----------
    stream : str
        Which stream.
    length, stride : float
        Seconds a window, and from one to the next; by default they tile.
    within : str
        Type of the events that no window may reach across, such as ``"trial"``.
    start : float
        In place of a stride: one window an event, from so many seconds after its onset
        (negative before it).
    by_subject : bool
        Each subject has channels of its own, and one model learns from all of them; see
        :func:`neurokit.windows.join_montages`.
    history : float
        Makes them windows of spikes: seconds before each one whose spikes are seen, too. See
        :func:`neurokit.windows.spike_windows`.
    dt : float
        With `history`, seconds a step of time.
    beside : dict of str to float
        With `history`, other streams that are seen, and how many seconds of each, up to the end
        of the window.
    targets : dict of str to list
        With `history`, streams of which these variables are read out, their mean over a window.
    max_spikes : int
        With `history`, spikes of a window beyond which the rest is dropped, and counted.
    """

    stream: _Text
    length: _Positive
    stride: _Positive | None = None
    within: str = ""
    start: float | None = None
    by_subject: bool = False
    history: _Positive | None = None
    dt: _Positive = 0.01
    beside: dict[str, _Positive] = Field(default_factory=dict)
    targets: dict[str, Annotated[list[_Text], Field(min_length=1)]] = Field(default_factory=dict)
    max_spikes: _Count | None = None

    @property
    def of_spikes(self) -> bool:
        """Whether spikes are cut, not samples."""
        return self.history is not None

    @model_validator(mode="after")
    def _check(self) -> WindowsTable:
        if self.start is not None and self.stride is not None:
            raise ValueError("start cuts one window an event, and takes no stride.")
        if self.history is not None and self.start is not None:
            raise ValueError("windows of spikes lie side by side, and take no start.")
        if self.history is not None and self.by_subject:
            raise ValueError("by_subject joins channels; units of spikes are told apart without.")
        # By their values: a recipe that was written out whole has all fields.
        fields = type(self).model_fields
        given = [
            n
            for n in _OF_SPIKES
            if getattr(self, n) != fields[n].get_default(call_default_factory=True)
        ]
        if self.history is None and given:
            raise ValueError(f"{', '.join(given)} belong to spikes, and need history.")
        return self

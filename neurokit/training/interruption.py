"""Ctrl-C, or a scheduler's notice, that waits for the end of a step."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

__all__ = ["interruptible"]


@contextlib.contextmanager
def interruptible(enabled: bool, how_to_go_on: str) -> Iterator[list[int]]:
    """Collect SIGINT and SIGTERM, for the code inside to heed when everything is in order.

    A second Ctrl-C does not wait.

    Parameters
    ----------
    enabled : bool
        Whether there is something to be put in order first. Without it, and outside the main
        thread, where Python hands out no signals, nothing changes.
    how_to_go_on : str
        What the user is told.

    Yields
    ------
    list of int
        The signals that came, to be looked at between two steps. However the code inside ends,
        SIGTERM is then passed on to whoever handled it before, and :class:`KeyboardInterrupt`
        is raised.

    Examples
    --------
    >>> try:
    ...     with interruptible(True, "Run again.") as asked:
    ...         signal.raise_signal(signal.SIGINT)
    ...         print(len(asked))
    ... except KeyboardInterrupt as interrupt:
    ...     print(interrupt)
    1
    Run again.
    """
    asked: list[int] = []
    if not enabled or threading.current_thread() is not threading.main_thread():
        yield asked
        return

    def note(number: int, _frame: FrameType | None) -> None:
        if asked and number == signal.SIGINT:
            raise KeyboardInterrupt
        asked.append(number)

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        if signal.SIGTERM in asked:
            signal.raise_signal(signal.SIGTERM)
    if asked:
        raise KeyboardInterrupt(how_to_go_on)

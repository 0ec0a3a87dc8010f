"""Drive a headless Chromium through its debugging pipe: what a page logs, asks for, measures."""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
SECONDS = 60.0
# The browser reads commands from descriptor 3 and answers on 4, whatever ours are called.
_LAUNCH = """
import fcntl, os, sys
ends = [fcntl.fcntl(int(end), fcntl.F_DUPFD, 10) for end in sys.argv[1:3]]
os.dup2(ends[0], 3)
os.dup2(ends[1], 4)
os.execv(sys.argv[3], sys.argv[3:])
"""
_FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-dev-shm-usage",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--remote-debugging-pipe", "about:blank",
)  # fmt: skip


def find() -> str | None:
    """Path of the browser, or None."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


@dataclass
class Visit:
    """What one visit to a page showed."""

    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    overflow: int = 0


class Browser:
    """One headless browser; a context manager that ends what it started."""

    def __init__(self, program: str, profile: Path) -> None:
        commands, self._write = os.pipe()
        self._read, answers = os.pipe()
        self._process = subprocess.Popen(
            [sys.executable, "-c", _LAUNCH, str(commands), str(answers), program, *_FLAGS,
             f"--user-data-dir={profile}"],
            pass_fds=(commands, answers),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(commands)
        os.close(answers)
        self._buffer = b""
        self._last = 0
        self.events: list[dict] = []

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.call("Browser.close")
            self._process.wait(10)
        except (OSError, EOFError, TimeoutError, subprocess.TimeoutExpired):
            self._process.kill()
            self._process.wait()
        os.close(self._write)
        os.close(self._read)

    def call(self, method: str, session: str = "", **parameters: object) -> dict:
        self._last += 1
        message = {"id": self._last, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next(time.monotonic() + SECONDS)
            if answer.get("id") == self._last:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]
            self.events.append(answer)

    def wait_for(self, method: str) -> None:
        until = time.monotonic() + SECONDS
        while not any(event.get("method") == method for event in self.events):
            self.events.append(self._next(until))

    def visit(
        self, page: Path, width: int, *, dark: bool = False, picture: Path | None = None
    ) -> Visit:
        """Open a file in a fresh tab of the given width and watch it."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        tab = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.call(f"{domain}.enable", tab)
        self.call(
            "Emulation.setDeviceMetricsOverride", tab,
            width=width, height=900, deviceScaleFactor=1, mobile=False,
        )  # fmt: skip
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", tab, features=[scheme])
        self.events.clear()
        self.call("Page.navigate", tab, url=page.as_uri())
        self.wait_for("Page.loadEventFired")
        # Two frames: what scripts and pictures still change has happened by then.
        settle = "new Promise(f => requestAnimationFrame(() => requestAnimationFrame(f)))"
        self.call("Runtime.evaluate", tab, expression=settle, awaitPromise=True)
        measure = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        overflow = self.call("Runtime.evaluate", tab, expression=measure, returnByValue=True)
        if picture:
            shot = self.call("Page.captureScreenshot", tab, captureBeyondViewport=True)
            picture.write_bytes(base64.b64decode(shot["data"]))
        seen = Visit(overflow=overflow["result"]["value"])
        for event in self.events:
            self._note(event, page, seen)
        self.call("Target.closeTarget", targetId=target)
        return seen

    @staticmethod
    def _note(event: dict, page: Path, seen: Visit) -> None:
        facts = event.get("params", {})
        match event.get("method"):
            case "Network.requestWillBeSent":
                url = facts["request"]["url"]
                if url != page.as_uri() and not url.startswith("data:"):
                    seen.requests.append(url)
            case "Runtime.consoleAPICalled" if facts["type"] in ("error", "warning", "assert"):
                seen.errors.append(str(facts["args"]))
            case "Runtime.exceptionThrown":
                seen.errors.append(facts["exceptionDetails"]["text"])
            case "Log.entryAdded" if facts["entry"]["level"] in ("error", "warning"):
                seen.errors.append(facts["entry"]["text"])

    def _next(self, until: float) -> dict:
        while b"\0" not in self._buffer:
            if not select.select([self._read], [], [], max(0.0, until - time.monotonic()))[0]:
                raise TimeoutError("the browser did not answer")
            part = os.read(self._read, 1 << 16)
            if not part:
                raise EOFError("the browser closed its pipe")
            self._buffer += part
        message, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(message)


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One headless browser for all tests that need one."""
    program = find()
    if program is None:
        pytest.skip(f"needs a Chromium: none of {', '.join(NAMES)} is on the PATH")
    with Browser(program, tmp_path_factory.mktemp("profile")) as running:
        yield running

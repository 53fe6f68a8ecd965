"""Chromium without a window, told what to do over its DevTools protocol."""

import json
import os
import selectors
import shutil
import subprocess
import sys
import time

NAMES = "chromium", "chromium-browser", "google-chrome"
# Seconds for an answer, and for a page.
_LIMIT = 60
# The ends of the protocol have to be descriptors 3 and 4 of the browser.
_START = """
import os, sys
for given, number in zip(map(int, sys.argv[1:3]), (30, 31)):
    os.dup2(given, number)
os.dup2(30, 3), os.dup2(31, 4)
os.execv(sys.argv[3], sys.argv[3:])
"""


def path_of_browser():
    """Where a browser is installed, or None."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class Browser:
    """A browser with one page.

    Attributes
    ----------
    events : list of dict
        What it has told since the last page was opened.
    """

    def __init__(self, path, profile):
        reads, child_writes = os.pipe()
        child_reads, writes = os.pipe()
        pipe = child_reads, child_writes
        options = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--hide-scrollbars",
            "--disable-dev-shm-usage",
            "--remote-debugging-pipe",
            f"--user-data-dir={profile}",
            "about:blank",
        ]
        self._process = subprocess.Popen(
            [sys.executable, "-c", _START, *map(str, pipe), path, *options],
            pass_fds=pipe,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(child_reads)
        os.close(child_writes)
        self._reads, self._writes = reads, writes
        self._selector = selectors.DefaultSelector()
        self._selector.register(reads, selectors.EVENT_READ)
        self._buffer, self._count, self.events = b"", 0, []
        self._session = None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def close(self):
        """End the browser."""
        os.close(self._writes)
        os.close(self._reads)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def call(self, method, **params):
        """The answer to a command."""
        self._count += 1
        number, message = self._count, {"method": method, "params": params}
        message |= {"id": number}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._writes, json.dumps(message).encode() + b"\0")
        answer = self._until(lambda event: event.get("id") == number)
        assert "error" not in answer, answer["error"]
        return answer["result"]

    def open(self, path, width, is_dark):
        """Open a file on a screen of so many pixels, in the light or in the dark."""
        self.events = []
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=900,
            deviceScaleFactor=1,
            mobile=False,
        )
        scheme = "dark" if is_dark else "light"
        feature = {"name": "prefers-color-scheme", "value": scheme}
        self.call("Emulation.setEmulatedMedia", features=[feature])
        self.call("Page.navigate", url=path.as_uri())
        if not any(e.get("method") == "Page.loadEventFired" for e in self.events):
            self._until(lambda event: event.get("method") == "Page.loadEventFired")

    def value(self, expression):
        """What an expression of JavaScript is on the page."""
        given = {"expression": expression, "returnByValue": True}
        answer = self.call("Runtime.evaluate", **given)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def told(self, *methods):
        """Parameters of the events with one of these names."""
        return [e["params"] for e in self.events if e.get("method") in methods]

    def _until(self, is_wanted):
        end = time.monotonic() + _LIMIT
        while True:
            while b"\0" in self._buffer:
                line, _, self._buffer = self._buffer.partition(b"\0")
                event = json.loads(line)
                self.events.append(event)
                if is_wanted(event):
                    return event
            if not self._selector.select(max(end - time.monotonic(), 0)):
                raise TimeoutError(f"The browser said nothing for {_LIMIT} seconds.")
            part = os.read(self._reads, 1 << 20)
            if not part:
                raise EOFError("The browser has ended.")
            self._buffer += part

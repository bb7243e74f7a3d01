"""A headless Chromium, driven through chromedriver by the WebDriver protocol, without a network."""

import http.client
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

CHROMEDRIVER = shutil.which("chromedriver")
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
    *("--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
    # Whatever a page might ask of another machine fails and is an error in the console.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
)


class Browser:
    """One session: a window with one page."""

    def __init__(self, port: int) -> None:
        """Begin a session with the chromedriver that listens on a port of this machine."""
        self._port, self._path = port, ""
        wanted = {
            "browserName": "chrome",
            "goog:chromeOptions": {"args": list(FLAGS)},
            "goog:loggingPrefs": {"browser": "ALL"},
        }
        created = self._send("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})
        self._path = f"/session/{created['sessionId']}"

    def open(self, page: Path, *, width: int) -> None:
        """Show a page in a window of a width in CSS pixels."""
        metrics = {"width": width, "height": 844, "deviceScaleFactor": 1, "mobile": False}
        self.command("Emulation.setDeviceMetricsOverride", **metrics)
        self._send("POST", "/url", {"url": page.resolve().as_uri()})

    def run(self, script: str) -> Any:
        """What a script returns."""
        return self._send("POST", "/execute/sync", {"script": script, "args": []})

    def console(self) -> list[str]:
        """What the page has written to the console since this was last asked."""
        return [entry["message"] for entry in self._send("POST", "/se/log", {"type": "browser"})]

    def command(self, name: str, **parameters: Any) -> Any:
        """A command of the DevTools protocol."""
        return self._send("POST", "/goog/cdp/execute", {"cmd": name, "params": parameters})

    def close(self) -> None:
        """End the browser."""
        self._send("DELETE", "")

    def _send(self, method: str, path: str, content: Any = None) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        body = None if content is None else json.dumps(content)
        connection.request(method, self._path + path, body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        value = json.load(answer)["value"]
        if answer.status != http.client.OK:
            raise RuntimeError(f"chromedriver: {value['message']}")
        return value


@contextmanager
def started_browser() -> Iterator[Browser]:
    """A browser that ends with the block."""
    driver = subprocess.Popen([CHROMEDRIVER, "--port=0"], stdout=subprocess.PIPE, text=True)
    try:
        port = next(
            int(found[1])
            for line in driver.stdout
            if (found := re.search(r"started successfully on port (\d+)", line))
        )
        browser = Browser(port)
        try:
            yield browser
        finally:
            browser.close()
    finally:
        driver.terminate()
        driver.wait()

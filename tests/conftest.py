"""What several test files share: one browser per file, servers that stop, and examples without a time limit."""

import os
import socket
import subprocess
import sys
import time
import urllib.request

import pytest
from hypothesis import settings
from watched import BROWSER, FLAGS

# No test is held to a time; CI tries the same examples each time, a developer new ones.
settings.register_profile("waferviz", deadline=None, derandomize=os.environ.get("CI") == "true")
settings.load_profile("waferviz")


@pytest.fixture(scope="module")
def chromium():
    if not BROWSER:
        if os.environ.get("CI") == "true":
            pytest.fail("CI has no browser; see tests/find_browser.py")
        pytest.skip("NO BROWSER: the pictures are not tested; see tests/find_browser.py")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def served(tmp_path):
    """Start a server command with a free port; gives its address, stops it at the end."""
    started = []

    def start(command, ready):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        log = (tmp_path / "server.log").open("w")
        process = subprocess.Popen(
            [sys.executable, "-m", *(part.format(port=port) for part in command)],
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        started.append((process, log))
        for _ in range(240):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}{ready}").close()
            except OSError:
                time.sleep(0.25)
                continue
            return f"http://localhost:{port}"
        pytest.fail(f"no server: {(tmp_path / 'server.log').read_text()}")

    yield start
    for process, log in started:
        process.terminate()
        process.wait()
        log.close()

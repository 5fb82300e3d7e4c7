#!/usr/bin/env python3
"""A Chromium for the browser tests: prints its path, or nothing where none can be had.

Looked for in this order: the one named by WAFERVIZ_BROWSER, one on PATH, Debian's package (as root),
Playwright's own download.  With CI=true a missing browser is an error; elsewhere a loud line says that the
browser tests are skipped.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
PLAYWRIGHT_PATH = """
from playwright.sync_api import sync_playwright
with sync_playwright() as playwright:
    print(playwright.chromium.executable_path)
"""


def starts(path: str | None) -> bool:
    """Whether `path` is a browser that runs; a stub that only points to another installer does not."""
    if not path:
        return False
    try:
        asked = subprocess.run([path, "--version"], capture_output=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return asked.returncode == 0


def on_path() -> str | None:
    """The first browser on PATH that runs."""
    return next((path for path in map(shutil.which, NAMES) if starts(path)), None)


def say(*command: str) -> bool:
    """Whether `command` succeeded; its output goes to the error stream, standard output is for the path."""
    print("browser for the tests:", *command, file=sys.stderr)
    return subprocess.run(command, stdout=sys.stderr, check=False).returncode == 0


def from_debian() -> str | None:
    """Debian's Chromium, where we may install it."""
    if not (Path("/etc/debian_version").exists() and shutil.which("apt-get") and os.geteuid() == 0):
        return None
    say("apt-get", "update", "--quiet")
    os.environ["DEBIAN_FRONTEND"] = "noninteractive"
    return on_path() if say("apt-get", "install", "--quiet", "--yes", "chromium") else None


def from_playwright() -> str | None:
    """Playwright's own Chromium, downloaded unless it is there already."""
    ask = [sys.executable, "-c", PLAYWRIGHT_PATH]
    path = subprocess.run(ask, capture_output=True, text=True, check=False).stdout.strip()
    if path and not starts(path):
        say(sys.executable, "-m", "playwright", "install", "chromium")
    return path if starts(path) else None


def candidates() -> Iterator[str | None]:
    """One answer per place to look, each place visited only when the one before had none."""
    named = os.environ.get("WAFERVIZ_BROWSER")
    yield named if starts(named) else None
    yield on_path()
    yield from_debian()
    yield from_playwright()


def main() -> int:
    """Print the path; 1 when there is none and CI asks for one."""
    found = next(filter(None, candidates()), None)
    if found:
        print(found)
        return 0
    print("NO BROWSER: the browser tests are skipped. Install Chromium to run them.", file=sys.stderr)
    return int(os.environ.get("CI", "").lower() == "true")


if __name__ == "__main__":
    sys.exit(main())

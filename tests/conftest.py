"""What several test files share: one browser per file."""

import os

import pytest
from watched import BROWSER, FLAGS


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

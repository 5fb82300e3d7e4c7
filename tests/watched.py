"""A browser page under watch: what it shows, what went wrong on it, and what it asked of the network."""

import os
import re

BROWSER = os.environ.get("WAFERVIZ_BROWSER", "")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PIXELS = """() => {
  const seen = []
  const walk = node => {
    for (const one of node.querySelectorAll('*')) {
      if (one.tagName === 'CANVAS' && one.width > 100 && !one.classList.contains('wv-strip')) seen.push(one.toDataURL().length)
      if (one.shadowRoot) walk(one.shadowRoot)
    }
  }
  walk(document)
  return seen.join(',')
}"""


class Watched:
    """A page with what went wrong on it: console errors, exceptions, requests that leave the machine."""

    def __init__(self, browser, *, offline=False, size=(1280, 720)):
        self.context = browser.new_context(viewport={"width": size[0], "height": size[1]}, offline=offline)
        self.page = self.context.new_page()
        self.wrong, self.left = [], []
        self.page.on("console", lambda message: message.type == "error" and self.wrong.append(message.text))
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("request", lambda request: self._note(request.url))

    def _note(self, url):
        if not re.match(r"(file|data|blob):|(http|ws)://(127\.0\.0\.1|localhost)[:/]", url):
            self.left.append(url)

    def pixels(self):
        return self.page.evaluate(PIXELS)

    def changes(self, act, wait=4000):
        """True when the picture is another after `act` within `wait` ms."""
        before = self.pixels()
        act()
        for _ in range(wait // 200):
            self.page.wait_for_timeout(200)
            if self.pixels() != before:
                return True
        return False

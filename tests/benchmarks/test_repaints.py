"""Map repaints in a real browser, one step asked per animation frame, as a share of a bare frame loop."""

import os

import pytest

import waferviz as wv

BROWSER = os.environ.get("WAFERVIZ_BROWSER", "")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
]
COUNT = """async ([maps, frames]) => {
  const root = (function find(node) {
    for (const one of node.querySelectorAll('*')) {
      if (one.stage) return one
      const inner = one.shadowRoot && find(one.shadowRoot)
      if (inner) return inner
    }
  })(document)
  const loop = act => new Promise(done => {
    let left = frames
    const start = performance.now()
    const turn = () => { act(frames - left); left-- > 0 ? requestAnimationFrame(turn) : done(performance.now() - start) }
    requestAnimationFrame(turn)
  })
  const bare = frames / await loop(() => {})
  let paints = 0
  const draw = CanvasRenderingContext2D.prototype.drawImage
  CanvasRenderingContext2D.prototype.drawImage = function (...args) {
    if (!this.imageSmoothingEnabled) paints++
    return draw.apply(this, args)
  }
  const stage = root.stage
  stage.setClock('steps')
  const took = await loop(at => { stage.time = 1 + (at % stage.clock.end); stage.draw() })
  CanvasRenderingContext2D.prototype.drawImage = draw
  return (paints / maps / took) / bare
}"""


@pytest.mark.browser
@pytest.mark.parametrize(
    ("shape", "maps", "least"), [((64, 64), 3, 0.8), ((256, 256), 3, 0.6), ((750, 994), 1, 0.5)]
)
def test_repaints_keep_up_with_the_screen(shape, maps, least, tmp_path, capsys):
    if not BROWSER:
        pytest.skip("NO BROWSER: name one in WAFERVIZ_BROWSER")
    from playwright.sync_api import sync_playwright

    names = ("summa", "cannon", "meshgemm")[-maps:]
    # Largest square that folds onto no core twice: a wafer of 750 x 994 is shown by its longer side.
    side = max(shape)
    traces = [wv.run(wv.GEMM[name](side)) for name in names]
    page_file = wv.race(*traces).handout(tmp_path / "race.html")
    with sync_playwright() as playwright:
        page = playwright.chromium.launch(executable_path=BROWSER, args=FLAGS).new_page(
            viewport={"width": 1280, "height": 720}
        )
        page.goto(page_file.as_uri())
        page.get_by_role("button", name="play", exact=True).wait_for(timeout=120_000)
        share = max(page.evaluate(COUNT, [maps, 90]) for _ in range(3))
    with capsys.disabled():
        print(
            f"\n{maps} maps of {shape[0]} x {shape[1]}: {100 * share:.0f} % of the frames, file {page_file.stat().st_size / 1e6:.1f} MB"
        )
    assert share >= least

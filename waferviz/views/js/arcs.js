// Called by Bokeh when the figure has its size: a slider for the number of cores, arcs redrawn here.
export default (args, figure, data, { index }) => {
  const view = index.find_one(args.host)
  if (!view || view.shadow_el.querySelector(".wv-stage")) return
  const setup = JSON.parse(args.setup)
  const words = make("p", { "aria-live": "polite" })
  const slider = make("input", { type: "range", min: 2, max: 64, step: 1, value: setup.cores, "aria-label": "number of cores", style: "width: min(100%, 480px)" })
  const number = make("output", {}, "")
  view.shadow_el.append(make("style", {}, args.style), make("div", { class: "wv-stage" }, make("label", {}, "cores ", slider, " ", number), words))
  view.el.style.height = "auto"
  view.el.style.display = "block"
  const draw = () => {
    const cores = Number(slider.value)
    number.textContent = cores
    words.textContent = setup.rings.map((rings, at) => `${setup.names[at]}: ${arcsOf(rings[cores - 2], cores, args, at)}`).join(" ")
  }
  slider.addEventListener("input", draw)
  slider.addEventListener("keydown", event => event.stopPropagation())
  draw()
}

// Draw the shift of one ring: eastward arcs above, westward below, the longest in the accent colour; say it in words.
function arcsOf(order, cores, args, at) {
  const lines = { xs: [], ys: [], colour: [], width: [] }
  const ways = order.map((to, position) => [order[(position + 1) % cores], to])
  const longest = Math.max(...ways.map(([from, to]) => Math.abs(to - from)))
  for (const [from, to] of ways) {
    const height = ((to - from) * 8) / Math.max(4, cores - 1)
    const turn = Array.from({ length: 25 }, (_, i) => (Math.PI * i) / 24)
    lines.xs.push(turn.map(angle => (from + to) / 2 + ((from - to) / 2) * Math.cos(angle)))
    lines.ys.push(turn.map(angle => height * Math.sin(angle)))
    const far = Math.abs(to - from) === longest
    lines.colour.push(args.colours[far ? 1 : 0])
    lines.width.push(far ? 3 : 1.5)
  }
  const figure = args.figures[at]
  figure.x_range.setv({ start: -0.7, end: cores - 0.3 })
  args.sources[at].data = lines
  args.dots[at].data = { x: order.map((_, core) => core), y: order.map(() => 0) }
  const hops = ways.map(([from, to]) => Math.abs(to - from))
  figure.title.text = `${figure.title.text.split(":")[0]}: longest way ${longest} hop${longest > 1 ? "s" : ""}, all ways together ${hops.reduce((a, b) => a + b, 0)} hops`
  return `the longest way is ${longest} hop${longest > 1 ? "s" : ""}, with ${hops.filter(hop => hop === longest).length} of ${cores} tiles on it.`
}

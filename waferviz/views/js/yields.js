// Called by Bokeh when the figure has its size: curves of the wafer by how defects fall, read off at one density.
export default (args, figure, data, { index }) => {
  const root = stageOf(args, index)
  if (!root) return
  const setup = JSON.parse(args.setup)
  const live = make("p", { class: "wv-said", "aria-live": "polite" })
  const range = make("input", { type: "range", min: 0, max: setup.density.length - 1, step: 1, value: nearest(setup.density, 0.1), "aria-label": "density of defects", oninput: () => draw() })
  range.addEventListener("keydown", event => event.stopPropagation())
  const number = make("output", {}, "")
  let kind = 0
  const draw = () => {
    const [at, curves] = [Number(range.value), setup.wafer[kind]]
    const density = setup.density[at]
    const now = curves.map(curve => curve[at])
    const points = setup.points[setup.clusters[kind]]
    args.lines.data = { ...args.lines.data, xs: curves.map(() => setup.density), ys: curves }
    const half = curves.map(curve => Math.max(0, curve.findIndex((share, place) => share < 0.5 && curve[place - 1] >= 0.5)))
    args.labels.data = { ...args.labels.data, x: half.map(place => setup.density[place]), y: half.map((place, spares) => curves[spares][place]) }
    args.points.data = { x: points.map(point => point[0]), y: points.map(point => point[1]), colour: points.map(point => setup.hues[point[2] % setup.hues.length]) }
    args.here.data = { ...args.here.data, x: now.map(() => density), y: now }
    number.textContent = `${said(density)} per cm²`
    const enough = now.findIndex(share => share > 0.99)
    live.textContent = `At ${said(density)} defects per cm² a wafer of ${setup.mesh} cores of ${setup.area} mm² works with probability ${now.map((share, spares) => `${chanced(share)} (${counted(spares, "spare")})`).join(", ")}. ${enough < 0 ? "None of these gives 99 %." : `${counted(enough, "spare column")} give${enough === 1 ? "s" : ""} 99 %.`}`
  }
  root.append(
    make("h2", {}, setup.title),
    make("div", { class: "wv-row" }, make("label", {}, "density of defects ", range, " ", number), switched("defects fall", setup.clusters.map((name, at) => [at, name]), 0, chosen => { kind = chosen; draw() })),
    live,
    make("div", { class: "wv-model" }, setup.model),
  )
  draw()
}

function nearest(values, wanted) {
  return values.reduce((best, value, at) => (Math.abs(Math.log(value / wanted)) < Math.abs(Math.log(values[best] / wanted)) ? at : best), 0)
}

function chanced(share) {
  return share > 0 && share < 0.001 ? share.toExponential(0) : share > 0.9995 && share < 1 ? "over 0.9995" : String(Number(share.toFixed(3)))
}

// Called by Bokeh when the figure has its size: lines of cycles, redrawn here for every place of the slider.
export default (args, figure, data, { index }) => {
  const root = stageOf(args, index)
  if (!root) return
  const setup = JSON.parse(args.setup)
  const head = stageOf(args, index, args.head)
  if (head) head.append(make("h2", {}, setup.title))
  const words = make("p", { class: "wv-said", "aria-live": "polite" })
  const number = make("output", {}, "")
  const slider = make("input", { type: "range", min: 0, max: setup.values.length - 1, step: 1, value: 0, "aria-label": setup.other || "only one", style: "width: min(100%, 480px)" })
  const row = make("div", { class: "wv-row" }, make("label", {}, `${setup.other} `, slider, " ", number))
  row.style.display = setup.values.length > 1 ? "" : "none"
  root.append(row, words, make("div", { class: "wv-model" }, setup.model))
  const draw = () => {
    const at = Number(slider.value)
    number.textContent = said(setup.values[at])
    args.picture.title.text = setup.other ? `${setup.other}: ${said(setup.values[at])}` : ""
    words.textContent = drawn(args, setup, setup.cycles[at])
  }
  slider.addEventListener("input", draw)
  slider.addEventListener("keydown", event => event.stopPropagation())
  draw()
}

// Feed the lines of one place of the slider; say where each turns and who is fastest on most cores.
function drawn(args, setup, lines) {
  const known = lines.flat().filter(cycles => cycles > 0)
  args.picture.y_range.setv({ start: Math.min(...known) * 0.7, end: Math.max(...known) * 1.3 })
  const told = lines.map((cycles, line) => {
    const points = cycles.map((one, at) => [setup.cores[at], one]).filter(([, one]) => one > 0)
    args.lines[line].data = { x: points.map(([cores]) => cores), y: points.map(([, one]) => one) }
    if (!points.length) {
      args.lows[line].data = { x: [], y: [], text: [] }
      return `${setup.names[line]}: none`
    }
    const low = points.reduce((best, one) => (one[1] < best[1] ? one : best))
    const turns = points.length > 1 && low !== points[0] && low !== points[points.length - 1]
    args.lows[line].data = turns ? { x: [low[0]], y: [low[1]], text: [`${said(low[0])} ${setup.unit}`] } : { x: [], y: [], text: [] }
    return turns ? `${setup.names[line]} turns at ${said(low[0])} ${setup.unit} with ${said(low[1])} cycles` : `${setup.names[line]} is lowest at ${said(low[0])} ${setup.unit} with ${said(low[1])} cycles`
  })
  return `${told.join("; ")}.`
}

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

// Feed the lines of one place of the slider; say who is fastest where, or where each turns, and which lines coincide.
function drawn(args, setup, lines) {
  const known = lines.flat().filter(cycles => cycles > 0)
  args.picture.y_range.setv({ start: Math.min(...known) * 0.7, end: Math.max(...known) * 1.3 })
  const told = lines.map((cycles, line) => {
    const points = cycles.map((one, at) => [setup.cores[at], one]).filter(([, one]) => one > 0)
    args.lines[line].data = { x: points.map(([cores]) => cores), y: points.map(([, one]) => one) }
    if (!points.length) {
      args.lows[line].data = { x: [], y: [], text: [], drop: [] }
      return `${setup.names[line]}: none`
    }
    const low = points.reduce((best, one) => (one[1] < best[1] ? one : best))
    const turns = points.length > 1 && low !== points[0] && low !== points[points.length - 1]
    const others = lines.map(one => one[setup.cores.indexOf(low[0])]).filter(one => one > 0)
    const drop = low[1] === Math.min(...others) ? 26 : -10 // below the lowest line, above the others
    args.lows[line].data = turns ? { x: [low[0]], y: [low[1]], text: [`${said(low[0])} ${setup.unit}`], drop: [drop] } : { x: [], y: [], text: [], drop: [] }
    return turns ? `${setup.names[line]} turns at ${said(low[0])} ${setup.unit} with ${said(low[1])} cycles` : `${setup.names[line]} is lowest at ${said(low[0])} ${setup.unit} with ${said(low[1])} cycles`
  })
  return `${[setup.fastest ? winners(setup, lines) : told.join("; "), ...equal(setup, lines)].join("; ")}.`
}

// Who is fastest from which place to which; lines that stay level on a stretch share it.
function winners(setup, lines) {
  const stretches = []
  setup.cores.forEach((cores, at) => {
    const known = lines.map(cycles => cycles[at]).filter(one => one > 0)
    const best = known.length ? Math.min(...known) : NaN
    const here = setup.names.filter((_, line) => lines[line][at] === best)
    const last = stretches[stretches.length - 1]
    const both = last ? last.names.filter(name => here.includes(name)) : []
    if (both.length) Object.assign(last, { names: both, end: cores, points: last.points + 1, least: best })
    else if (here.length) stretches.push({ names: here, begin: cores, end: cores, points: 1, least: best })
  })
  if (!stretches.length) return "no cycles here"
  if (stretches.length > 5) return mostly(setup, stretches)
  const unit = setup.unit
  const told = stretches.map(({ names, begin, end, least }, at) => {
    const who = names.join(" and, equally, ")
    if (stretches.length > 1 && at === stretches.length - 1) return `${who} from ${said(begin)} ${unit} on`
    return begin === end ? `${who} at ${said(begin)} ${unit} with ${said(least)} cycles` : `${who} from ${said(begin)} to ${said(end)} ${unit}`
  })
  return `Fastest is ${told.join("; ")}`
}

// Many stretches in words: on how many places each wins, and where it first does.
function mostly(setup, stretches) {
  const found = new Map()
  for (const { names, begin, points } of stretches) {
    const name = names[0]
    const known = found.get(name) ?? { begin, points: 0 }
    found.set(name, { begin: known.begin, points: known.points + points })
  }
  const all = [...found.values()].reduce((sum, { points }) => sum + points, 0)
  const told = [...found].sort((one, other) => other[1].points - one[1].points)
  return `Fastest is, by turns, ${told.map(([name, { begin, points }]) => `${name} on ${said(points)} of ${said(all)} lines, first with ${said(begin)} ${setup.unit}`).join("; ")}`
}

// Lines that lie on one another, where one hides the other.
function equal(setup, lines) {
  const found = []
  setup.names.forEach((name, line) => setup.names.slice(line + 1).forEach((other, more) => {
    const same = setup.cores.filter((_, at) => lines[line][at] > 0 && lines[line][at] === lines[line + 1 + more][at])
    if (same.length < 2) return
    const where = same.length === setup.cores.length ? "everywhere" : `for ${said(same.length)} of ${said(setup.cores.length)} numbers of ${setup.unit}`
    found.push(`${name} and ${other} are equal ${where}`)
  }))
  return found
}

// Called by Bokeh when the map has its size: winners, curves and bars of one machine and schedule, moved by two sliders.
export default (args, figure, data, { index }) => {
  const root = stageOf(args, index)
  if (root) new SweepStage(args, root, JSON.parse(args.setup), stageOf(args, index, args.foot))
}

const SIGNS = { circle: "●", square: "■", triangle: "▲", diamond: "◆", inverted_triangle: "▼", hex: "⬢", star: "★", plus: "✚" }
const TIE = 1.005
const SCHEDULE = { barrier: "barrier", dataflow: "data flow" }

class SweepStage {
  constructor(args, root, setup, foot) {
    Object.assign(this, { args, root, setup, foot, machine: 0, schedule: 0, along: "mesh", fitting: true })
    this.at = { mesh: setup.mesh.length >> 1, matrix: setup.matrix.length >> 1 }
    this.live = make("p", { class: "wv-said", "aria-live": "polite" })
    this.sliders = Object.fromEntries(["mesh", "matrix"].map(name => [name, this.slider(name)]))
    this.formulas = make("div")
    const pick = (name, words, change) => (setup[name].length > 1 ? switched(name, setup[name].map((value, number) => [String(number), words[value] || value]), "0", value => (change(Number(value)), this.draw())) : "")
    root.append(
      make("h2", {}, setup.title),
      make("div", { class: "wv-row" }, this.sliders.mesh.label, this.sliders.matrix.label, switched("curves along", [["mesh", "mesh"], ["matrix", "matrix"]], "mesh", value => ((this.along = value), this.draw()))),
      make("div", { class: "wv-row" },
        pick("machine", {}, value => (this.machine = value)), pick("schedule", SCHEDULE, value => (this.schedule = value)),
        make("label", {}, make("input", { type: "checkbox", checked: "", "aria-label": "only what fits can win", onchange: event => ((this.fitting = event.target.checked), this.draw()) }), " only what fits can win"),
      ),
      this.legend(),
      this.live,
    )
    foot.append(this.partLegend(), this.formulas, make("div", { class: "wv-model" }, setup.model))
    args.winners.on_event("tap", event => this.move({ mesh: Math.round(event.x), matrix: Math.round(event.y) }))
    this.label()
    this.draw()
  }

  slider(name) {
    const words = make("output", {}, "")
    const input = make("input", { type: "range", min: 0, max: this.setup[name].length - 1, step: 1, value: this.at[name], "aria-label": name, oninput: event => this.move({ [name]: Number(event.target.value) }) })
    input.addEventListener("keydown", event => event.stopPropagation())
    return { input, words, label: make("label", {}, `${name} `, input, " ", words) }
  }

  // Names at the axes of the map: at most about eight a side.
  label() {
    for (const [name, [axis, ticker]] of [["mesh", this.args.wide], ["matrix", this.args.high]]) {
      const every = Math.ceil(this.setup[name].length / 8)
      const places = this.setup[name].map((_, place) => place).filter(place => place % every === 0)
      ticker.setv({ ticks: places })
      axis.major_label_overrides = new Map(places.map(place => [place, told(this.setup[name][place])]))
    }
    const { algorithm } = this.setup
    this.args.ticks.setv({ ticks: algorithm.map((_, number) => number) })
    this.args.axis.major_label_overrides = new Map(algorithm.map((name, number) => [number, name]))
  }

  legend() {
    const { algorithm, colours, hatches, markers } = this.setup
    const names = algorithm.map((name, number) =>
      make("span", {}, make("b", { style: `color:${colours[number % colours.length]}` }, `${SIGNS[markers[number % markers.length]]} `), `${name}${hatches[number % hatches.length].trim() ? ` (hatch ${hatches[number % hatches.length]})` : " (plain)"}`),
    )
    return make("div", { class: "wv-swatches" }, ...names, make("span", {}, "grey: a tie, within 0.5 % of the best"), make("span", {}, "hollow mark: does not fit"))
  }

  partLegend() {
    const { shades } = this.setup
    const bars = Object.entries(shades).map(([part, colour]) => make("span", {}, make("i", { style: `background:${colour}` }), { work: "work, upper bar", words: "words on links and ramps, lower bar", way: "way of the tiles, lower bar" }[part]))
    return make("div", { class: "wv-swatches" }, ...bars, make("span", {}, "black mark: the whole"))
  }

  move(to) {
    for (const [name, place] of Object.entries(to)) this.at[name] = Math.max(0, Math.min(this.setup[name].length - 1, place))
    this.draw()
  }

  place(algorithm, mesh = this.at.mesh, matrix = this.at.matrix) {
    const { setup } = this
    return (((algorithm * setup.mesh.length + mesh) * setup.matrix.length + matrix) * setup.machine.length + this.machine) * setup.schedule.length + this.schedule
  }

  // Algorithms that can run at a point, the fastest first.
  order(mesh, matrix) {
    const { setup } = this
    return setup.algorithm
      .map((name, number) => ({ name, number, cycles: setup.cycles[this.place(number, mesh, matrix)], fits: setup.fits[this.place(number, mesh, matrix)] }))
      .filter(one => one.cycles >= 0 && (one.fits || !this.fitting))
      .sort((one, two) => one.cycles - two.cycles)
  }

  draw() {
    const { setup } = this
    for (const [name, { input, words }] of Object.entries(this.sliders)) {
      input.value = this.at[name]
      words.textContent = `${told(setup[name][this.at[name]])}${name === "mesh" ? " cores a side" : " entries a side"}`
      input.setAttribute("aria-valuetext", words.textContent)
    }
    this.drawWinners()
    this.drawCurves()
    this.drawBars()
    this.live.textContent = this.sentence()
    const given = setup.formula[this.schedule]
    this.formulas.replaceChildren(...(given ? [...setup.algorithm.map((name, number) => make("div", {}, make("b", {}, `${name}: `), given[number])), make("div", { class: "wv-model" }, setup.signs)] : []))
  }

  drawWinners() {
    const { setup, args } = this
    const data = { x: [], y: [], colour: [], hatch: [], text: [], light: [] }
    const room = Math.min((args.winners.inner_width || 400) / setup.mesh.length, ((args.winners.inner_height || 260) / setup.matrix.length) * 2)
    setup.mesh.forEach((_, mesh) => setup.matrix.forEach((_, matrix) => {
      const [best, next] = this.order(mesh, matrix)
      data.x.push(mesh)
      data.y.push(matrix)
      const tie = next && next.cycles <= best.cycles * TIE
      data.colour.push(!best ? "#ffffff" : tie ? "#d5d9e0" : setup.colours[best.number % setup.colours.length])
      data.hatch.push(!best || tie ? " " : setup.hatches[best.number % setup.hatches.length])
      data.text.push(room < 46 ? "" : !best ? "none" : !next ? "alone" : tie ? "tie" : times(next.cycles / best.cycles))
      data.light.push(room < 46 ? 0 : 0.75)
    }))
    args.cells.data = data
    args.frame.data = { x: [this.at.mesh], y: [this.at.matrix] }
    args.winners.title.text = "who wins; 2×: the next takes twice as long"
  }

  drawCurves() {
    const { setup, args, along } = this
    const sides = setup[along].map(Number)
    const seen = []
    setup.algorithm.forEach((_, number) => {
      const data = { x: [], y: [], fill: [] }
      sides.forEach((side, place) => {
        const at = along === "mesh" ? this.place(number, place) : this.place(number, this.at.mesh, place)
        if (!(setup.cycles[at] > 0)) return
        data.x.push(side)
        data.y.push(setup.cycles[at])
        data.fill.push(setup.fits[at] ? setup.colours[number % setup.colours.length] : "#ffffff")
      })
      args.lines[number].data = data
      setup.cycles.forEach((cycles, at) => Math.floor(at / setup.schedule.length) % setup.machine.length === this.machine && cycles > 0 && number === 0 && seen.push(cycles))
    })
    args.curves.x_range.setv({ start: Math.min(...sides) / 1.15, end: Math.max(...sides) * 1.15 })
    args.curves.y_range.setv({ start: least(seen) / 1.5, end: most(seen) * 1.5 })
    args.curves.below[0].ticker.setv({ ticks: apart(sides, args.curves.inner_width || 400) })
    args.cursor.location = sides[this.at[along]]
    const other = along === "mesh" ? "matrix" : "mesh"
    args.curves.title.text = `cycles, ${other} ${told(setup[other][this.at[other]])}, ${setup.machine[this.machine]}, ${SCHEDULE[setup.schedule[this.schedule]] || setup.schedule[this.schedule]}`
    args.curves.below[0].axis_label = along === "mesh" ? "mesh, cores along a side" : "matrix, entries along a side"
  }

  // Work over words and way of every algorithm at the point, with its total.
  drawBars() {
    const { setup, args } = this
    const data = { left: [], right: [], y: [], height: [], colour: [] }
    const totals = { x: [], y: [], text: [] }
    const bar = (part, left, width, y) => width > 0 && (data.left.push(left), data.right.push(left + width), data.y.push(y), data.height.push(0.34), data.colour.push(setup.shades[part]))
    setup.algorithm.forEach((_, number) => {
      const at = this.place(number)
      if (setup.cycles[at] < 0) return
      const [work, words, way] = ["work", "words", "way"].map(part => setup.parts[part][at])
      bar("work", 0, work, number - 0.18)
      bar("words", 0, words, number + 0.18)
      bar("way", words, way, number + 0.18)
      totals.x.push(Math.max(setup.cycles[at], 0))
      totals.y.push(number)
      totals.text.push(`${said(setup.cycles[at])}${setup.fits[at] ? "" : " ✗ does not fit"}`)
    })
    args.parts.data = data
    args.totals.data = totals
    args.bars.x_range.setv({ start: 0, end: 1.3 * Math.max(1, ...totals.x) })
  }

  sentence() {
    const { setup } = this
    const order = this.order(this.at.mesh, this.at.matrix)
    const where = `${told(setup.matrix[this.at.matrix])} entries a side on ${told(setup.mesh[this.at.mesh])} cores a side, ${setup.machine[this.machine]}, ${SCHEDULE[setup.schedule[this.schedule]] || setup.schedule[this.schedule]}`
    if (!order.length) return `${where}: no algorithm fits.`
    const best = order[0].cycles
    const ties = order.filter(one => one.cycles <= best * TIE)
    const who = ties.length > 1 ? `${ties.map(one => one.name).join(" and ")} tie within 0.5 %` : `${order[0].name} wins`
    const rest = order.slice(ties.length).map(one => `${one.name} ${said(one.cycles / best)} times as long`)
    const out = setup.algorithm.filter((_, number) => !setup.fits[this.place(number)] && setup.cycles[this.place(number)] >= 0)
    const relays = setup.algorithm.filter((_, number) => setup.relayed[this.place(number)])
    const time = setup.microseconds[this.place(order[0].number)]
    return `${where}: ${who} with ${ties.some(one => one.cycles !== best) ? "about " : ""}${said(best)} cycles, ${said(time)} µs${rest.length ? `; ${rest.join(", ")}` : ""}${out.length ? `; does not fit: ${out.join(", ")}` : ""}${relays.length ? `; relayed core by core: ${relays.join(", ")}` : ""}.`
  }
}

// Of numbers along a logarithmic axis, those whose labels have room.
function apart(sides, pixels) {
  const [low, high] = [Math.log(Math.min(...sides)), Math.log(Math.max(...sides))]
  const at = side => ((Math.log(side) - low) / (high - low || 1)) * pixels * 0.9
  return sides.reduce((kept, side) => (kept.length && at(side) - at(kept[kept.length - 1]) < 44 ? kept : [...kept, side]), [])
}

function times(ratio) {
  return `${ratio >= 10 ? Math.round(ratio) : ratio.toFixed(ratio < 1.1 ? 2 : 1)}×`
}

function told(value) {
  return typeof value === "number" ? value.toLocaleString("en") : value
}

function least(values) {
  return values.reduce((one, two) => Math.min(one, two), Infinity)
}

function most(values) {
  return values.reduce((one, two) => Math.max(one, two), 1)
}

// Called by Bokeh when the first tree has its size: cores, trees and diagrams of all runs on one clock.
export default async (args, figure, data, { index }) => {
  const root = stageOf(args, index)
  if (!root) return
  args.index = index
  const setup = JSON.parse(args.setup)
  for (const run of setup.runs) {
    for (const name of ["actions", "messages"]) run[name] = new Int32Array((await inflate(run[name])).buffer)
  }
  const stage = new WavesStage(args, root, setup)
  args.pictures.forEach((models, number) => models.tree.on_event("tap", event => stage.point(number, event)))
}

const FIELDS = 5
const RANK = [5, 3, 4, 1, 2]

class WavesStage {
  constructor(args, root, setup) {
    Object.assign(this, { args, root, setup, kinds: Object.values(setup.looks), pointed: null })
    this.live = make("p", { class: "wv-said", "aria-live": "polite" })
    this.inspector = make("div", { class: "wv-inspector" }, "Click a core to follow it.")
    this.transport = new Transport(root, "cycle", time => this.at(time), () => this.say())
    root.setAttribute("aria-label", `${setup.title}. Space plays, arrows step, home and end jump.`)
    root.append(this.transport.element, this.legend(), this.live, this.inspector, runTable(setup), make("div", { class: "wv-model" }, setup.model))
    const head = stageOf(args, args.index, args.head)
    if (head) head.append(make("h2", {}, setup.title))
    setup.runs.forEach((run, number) => this.lay(run, args.pictures[number]))
    const stops = [...new Set(setup.runs.flatMap(run => run.done))].sort((one, two) => one - two)
    this.transport.lay(setup.end, [0, ...stops])
    this.say()
  }

  legend() {
    const wait = make("span", {}, make("i", { style: `background:${this.setup.wait}` }), "wait")
    const seen = new Set(this.setup.runs.flatMap(run => Array.from({ length: run.actions.length / FIELDS }, (_, at) => run.actions[at * FIELDS])))
    const one = ([colour, letter, words], kind) => (seen.has(kind) ? [make("span", {}, make("i", { style: `background:${colour}` }), `${letter} ${words}`)] : [])
    return make("div", { class: "wv-swatches" }, ...this.kinds.flatMap(one), wait, this.args.pictures[0].diagram ? make("span", {}, "thin lines: a first word on its way") : "", make("span", {}, this.args.pictures[0].diagram ? "arcs above: sums, red from the second phase on; below: the result" : "dark and red lines: sums, red from the second phase on; green: the result"))
  }

  // What does not move: the tree, and the diagram.
  lay(run, models) {
    models.tree.title.text = `${run.program}: ${said(run.cycles)} cycles`
    models.arcs.data = arcsOf(run, this.setup)
    if (!models.diagram) return
    const cores = Math.max(run.rows, run.columns)
    const scale = Math.max(1, Math.min(4, Math.floor(1600 / this.setup.end)))
    const height = Math.max(1, Math.min(1600, Math.round(this.setup.end * scale)))
    const held = models.image.data.image[0]
    const image = new held.constructor(height * cores, [height, cores])
    paintWaves(image, run, cores, height / this.setup.end, this.kinds.map(([colour]) => word(colour)), word(this.setup.wait))
    models.image.data = { image: [image], x: [-0.5], dw: [cores], dh: [this.setup.end] }
    if (run.lines) models.ways.data = waysOf(run)
  }

  at(time) {
    this.setup.runs.forEach((run, number) => {
      const models = this.args.pictures[number]
      const state = stateAt(run, time)
      models.cells.data = cellsOf(run, state, models, this.kinds, this.setup.wait, time)
      if (models.cursor) {
        models.cursor.location = time
        models.future.setv({ bottom: time, top: this.setup.end })
      }
    })
    this.transport.place.textContent = `cycle ${said(Math.round(time))} of ${said(this.transport.end)}`
    this.transport.range.setAttribute("aria-valuetext", this.transport.place.textContent)
    if (this.pointed) this.inspect()
    if (this.transport.playing) this.live.textContent = this.sentence(time)
  }

  say() {
    this.live.textContent = this.sentence(this.transport.time)
  }

  sentence(time) {
    const told = this.setup.runs.map(run => {
      if (time >= run.cycles) return `${run.program} is done after ${said(run.cycles)} cycles${run.values ? `, every core holds ${said(run.values[run.values.length - 1][0])}` : ""}.`
      const step = run.done.findIndex(done => done > time)
      const state = stateAt(run, time)
      const number = kind => state.filter(one => one === kind).length
      const parts = this.kinds.map(([, , words, one], kind) => [number(kind), plural(words), one]).filter(([many]) => many).map(([many, words, one]) => `${said(many)} ${many === 1 ? one : words}`)
      const waits = number(-1)
      if (waits) parts.push(`${said(waits)} ${waits === 1 ? "waits" : "wait"}`)
      return `${run.program}, step ${step + 1} of ${run.done.length} (${run.labels[step]}): ${parts.join(", ")}.`
    })
    return told.join(" ")
  }

  point(number, event) {
    const run = this.setup.runs[number]
    const [x, y] = [Math.round(event.x), Math.round(event.y)]
    const line = Math.min(run.rows, run.columns) === 1
    const core = line ? x : y * run.columns + x
    if (core < 0 || core >= run.rows * run.columns) return
    this.pointed = { number, core }
    this.args.pictures.forEach((models, at) => {
      models.pointed.data = at === number ? { x: [line ? x : core % run.columns], y: [line ? 0 : Math.floor(core / run.columns)] } : { x: [], y: [] }
    })
    this.inspect()
  }

  inspect() {
    const { number, core } = this.pointed
    const run = this.setup.runs[number]
    const time = this.transport.time
    const ended = run.done.filter(done => done <= time).length
    const kind = stateAt(run, time)[core]
    const doing = kind < 0 ? (time >= run.cycles ? "is done" : "waits") : this.kinds[kind][3]
    const shares = run.shares ? `; holds the sum of ${said(run.shares[ended][core])} of ${said(run.shares[run.shares.length - 1][core])} vectors` : ""
    const value = run.values ? `, first entry ${said(run.values[ended][core])}` : ""
    const busy = [0, 0, 0, 0, 0]
    for (let at = 0; at < run.actions.length; at += FIELDS) if (run.actions[at + 1] === core) busy[run.actions[at]] += run.actions[at + 3] - run.actions[at + 2]
    const whole = busy.map((cycles, one) => [cycles, this.kinds[one][3]]).filter(([cycles]) => cycles).map(([cycles, verb]) => `${verb} for ${said(cycles)}`)
    this.inspector.textContent = `${run.program}, core ${Math.min(run.rows, run.columns) === 1 ? core : `(${Math.floor(core / run.columns)},${core % run.columns})`}: ${doing}${shares}${value}. In the whole run it ${whole.join(", ") || "does nothing"} cycles.`
  }
}

function plural(words) {
  return words.replace(/ \(.*/, "")
}

// What every core does at a time: number of the kind, -1 for waiting; adding wins over passing on.
function stateAt(run, time) {
  const state = new Array(run.rows * run.columns).fill(-1)
  const { actions } = run
  for (let at = 0; at < actions.length; at += FIELDS) {
    if (actions[at + 2] > time || time >= actions[at + 3]) continue
    const core = actions[at + 1]
    if (state[core] < 0 || RANK[actions[at]] > RANK[state[core]]) state[core] = actions[at]
  }
  return state
}

function cellsOf(run, state, models, kinds, wait, time) {
  const line = Math.min(run.rows, run.columns) === 1
  const across = line ? state.length : run.columns
  const width = (models.tree.inner_width || 600) / across
  const ended = run.done.filter(done => done <= time).length
  const shown = run.values && width >= 44
  return {
    x: state.map((_, core) => (line ? core : core % run.columns)),
    y: state.map((_, core) => (line ? 0 : Math.floor(core / run.columns))),
    colour: state.map(kind => (kind < 0 ? wait : kinds[kind][0])),
    letter: state.map(kind => (width < 15 ? "" : kind < 0 ? (time >= run.cycles ? "✓" : "") : kinds[kind][1])),
    value: state.map((_, core) => (shown ? said(run.values[ended][core]) : "")),
  }
}

// Distinct messages as arcs above a line (sums) and below it (the result), or as straight lines on a mesh.
function arcsOf(run, { accent, ink }) {
  const line = Math.min(run.rows, run.columns) === 1
  const lines = { xs: [], ys: [], colour: [], width: [] }
  const seen = new Map()
  const phases = []
  for (let at = 0; at < run.messages.length; at += FIELDS) {
    const [source, target, , , step] = run.messages.subarray(at, at + FIELDS)
    const back = run.labels[step - 1].includes("broadcast") || run.labels[step - 1].includes("allgather")
    if (!back && !phases.includes(run.labels[step - 1])) phases.push(run.labels[step - 1])
    const phase = phases.indexOf(run.labels[step - 1])
    seen.set(`${source},${target},${back}`, { source, target, phase, back })
  }
  const ways = [...seen.values()]
  const longest = Math.max(1, ...ways.map(({ source, target }) => Math.abs(source - target)))
  for (const { source, target, phase, back } of ways) {
    const turn = Array.from({ length: 21 }, (_, i) => (Math.PI * i) / 20)
    if (line) {
      const height = (back ? -0.95 : 0.25 + 1.2 * (Math.abs(target - source) / longest)) * (back ? 0.4 + 0.6 * (Math.abs(target - source) / longest) : 1)
      lines.xs.push(turn.map(angle => (source + target) / 2 + ((source - target) / 2) * Math.cos(angle)))
      lines.ys.push(turn.map(angle => (back ? -0.31 : 0.31) + height * Math.sin(angle)))
    } else {
      const beside = back ? 0.1 : 0
      lines.xs.push([(source % run.columns) + beside, (target % run.columns) + beside])
      lines.ys.push([Math.floor(source / run.columns) + beside, Math.floor(target / run.columns) + beside])
    }
    lines.colour.push(back ? "#009e73" : phase > 0 ? accent : ink)
    lines.width.push((phase > 0 && !back ? 2.5 : 1.5) * (ways.length > 200 ? 0.5 : 1))
  }
  return lines
}

function waysOf(run) {
  const ways = { x0: [], y0: [], x1: [], y1: [], alpha: [] }
  const alpha = Math.max(0.15, Math.min(0.6, 60 / (run.messages.length / FIELDS)))
  for (let at = 0; at < run.messages.length; at += FIELDS) {
    const [source, target, leaves, arrives] = run.messages.subarray(at, at + FIELDS)
    ways.x0.push(source)
    ways.x1.push(target)
    ways.y0.push(leaves)
    ways.y1.push(arrives)
    ways.alpha.push(alpha)
  }
  return ways
}

// A column per core; what routers do lies under what cores do.
function paintWaves(image, run, cores, scale, colours, wait) {
  image.fill(0)
  const rows = image.length / cores
  for (let row = 0; row < Math.min(rows, Math.round(run.cycles * scale)); row++) image.fill(wait, row * cores, (row + 1) * cores)
  for (const kind of [3, 4, 1, 2, 0]) {
    for (let at = 0; at < run.actions.length; at += FIELDS) {
      if (run.actions[at] !== kind) continue
      const first = Math.min(rows - 1, Math.round(run.actions[at + 2] * scale))
      const last = Math.min(rows, Math.max(first + 1, Math.round(run.actions[at + 3] * scale)))
      for (let row = first; row < last; row++) image[row * cores + run.actions[at + 1]] = colours[kind]
    }
  }
}

function runTable({ runs }) {
  const best = Math.min(...runs.map(run => run.cycles))
  const line = run => make("tr", {},
    make("th", { scope: "row" }, run.program), make("td", {}, make("b", {}, `${said(run.cycles)} cycles`), run.cycles > best ? `, ${said(run.cycles / best)} times as long` : runs.length > 1 ? ", the fastest" : "", run.simulated && run.simulated !== run.cycles ? `; ${said(run.simulated)} when words that meet wait for each other` : ""),
    make("td", {}, counted(run.hops, "hop")), make("td", {}, counted(run.relays, "relay")), make("td", {}, counted(run.depth, "send")), make("td", {}, counted(run.done.length, "step")),
  )
  const head = make("tr", {}, ...["program", "cycles", "longest ways, all steps", "relays on them", "one after the other", "steps"].map(words => make("th", { scope: "col" }, words)))
  return make("table", { class: "wv-shares", "aria-label": "cycles, hops and relays" }, make("thead", {}, head), make("tbody", {}, ...runs.map(line)))
}

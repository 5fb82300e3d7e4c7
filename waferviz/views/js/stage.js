// The stage: maps side by side, one clock, one set of controls.

const SPEEDS = { slow: 0.4, normal: 1, fast: 3, "very fast": 10 }

class Stage {
  constructor(args, root, traces, setup) {
    this.args = args
    this.root = root
    this.traces = traces
    this.setup = setup
    this.colours = coloursOf(setup.palettes)
    this.maps = traces.map((trace, number) => new MeshMap(trace, args.maps[number], this.colours, setup.scale))
    this.maps.forEach(map => (map.reference = this.maps[0]))
    this.layer = setup.show
    this.clock = clockOf(traces, setup.clock)
    this.time = 0
    this.speed = 1
    this.playing = false
    this.loop = false
    this.still = matchMedia("(prefers-reduced-motion: reduce)").matches
    this.small = traces.every(trace => trace.rows * trace.columns <= 256)
    this.paints = 0
    this.build()
    this.listen()
    const wanted = setup.url ? location.hash.slice(1) : ""
    this.seek(0)
    this.restore(setup.state)
    this.restore(wanted)
    if (setup.url) {
      addEventListener("hashchange", () => this.restore(location.hash.slice(1)))
    }
    args.heard.connect(args.heard.properties.data.change, () => this.restore(args.heard.data.state[0]))
  }

  // Where the picture stands, as one short text, and back.
  state() {
    const speed = Object.keys(SPEEDS).find(name => SPEEDS[name] === this.speed)
    return new URLSearchParams({ show: this.layer, clock: this.clock.kind, time: Math.round(this.time * 100) / 100, speed }).toString()
  }

  restore(text) {
    if (!text || text === this.state()) return
    const asked = new URLSearchParams(text)
    const [show, clock, time, speed] = ["show", "clock", "time", "speed"].map(name => asked.get(name))
    if (speed in SPEEDS) this.speed = this.chosen("speed", speed, SPEEDS[speed])
    if (this.shows.some(([name]) => name === show)) this.choose(this.chosen("show", show, show))
    if (["cycles", "steps"].includes(clock)) this.setClock(this.chosen("clock", clock, clock))
    if (time !== null && Number(time) >= 0) this.seek(Number(time))
  }

  // Shows a choice in its list, and returns what it stands for.
  chosen(list, name, value) {
    this.root.querySelector(`select[aria-label="${list}"]`).value = name
    return value
  }

  build() {
    const { traces, setup } = this
    this.captions = traces.map(trace =>
      make("div", { class: "wv-caption" }, make("span", { class: "wv-stats" }, trace.stats, ...(trace.broken ? [" ", make("strong", { class: "wv-broken" }, `▲ ${trace.broken}`)] : [])), make("p", {}, ""), make("p", { class: "wv-verdict" }, "")),
    )
    this.play = button("play", "▶", () => this.toggle())
    this.range = make("input", { type: "range", min: 0, max: this.clock.end, step: 1, value: 0, "aria-label": "position in the run", oninput: event => this.seek(Number(event.target.value), true), onchange: () => this.settle() })
    this.strip = make("canvas", { class: "wv-strip", role: "img", "aria-label": "how busy the busiest link is over the run, one band per algorithm" })
    this.place = make("output", { class: "wv-place" }, "")
    this.inspector = make("div", { class: "wv-inspector" }, "Point at a core or a link, or click to follow it. Keys: space plays, ← → step, Home and End jump, [ ] change the speed.")
    this.live = make("div", { class: "wv-live", "aria-live": "polite" })
    this.kept = make("input", { class: "wv-state", readonly: "", size: 52, "aria-label": "this view as text, for state= of race and play", onfocus: event => event.target.select() })
    this.legend = make("div", { class: "wv-legend" })
    this.ranking = make("div", { class: "wv-ranking" })
    const shows = this.shows = setup.shows.filter(([name]) => this.has(name) && (name !== "difference" || traces.length > 1))
    this.root.replaceChildren(
      make("div", { class: "wv-captions", style: `grid-template-columns: repeat(${traces.length}, minmax(0, ${setup.widest}px))` }, ...this.captions),
      this.legend,
      make("div", { class: "wv-transport", role: "group", "aria-label": "playback" },
        button("to start", "⇤", () => this.seek(0)),
        button("step back", "←", () => this.step(-1)),
        this.play,
        button("step forward", "→", () => this.step(1)),
        button("to end", "⇥", () => this.seek(this.clock.end)),
        make("div", { class: "wv-scrub" }, this.strip, this.range),
        this.place,
      ),
      make("div", { class: "wv-choices" },
        chooser("show", shows.map(([name, words]) => [name, words]), this.layer, value => this.choose(value)),
        chooser("clock", [["cycles", "cycles"], ["steps", "steps"]], this.clock.kind, value => this.setClock(value)),
        chooser("speed", Object.keys(SPEEDS).map(name => [name, name]), "normal", value => (this.speed = SPEEDS[value])),
        make("label", {}, make("input", { type: "checkbox", "aria-label": "loop", onchange: event => (this.loop = event.target.checked) }), " loop"),
        jumpList(traces, (trace, step) => this.seek(timeOf(trace, this.clock, step))),
      ),
      this.inspector,
      this.ranking,
      make("div", { class: "wv-model" }, setup.model),
      ...this.sources(),
      make("details", {}, make("summary", {}, "this view as text"), make("p", {}, "Give it to race or play as state=, or put it behind # in the address of an offline file: ", this.kept)),
      this.live,
    )
    this.root.tabIndex = 0
    this.root.setAttribute("role", "region")
    this.root.setAttribute("aria-label", `${setup.title}. Space plays, arrows step, home and end jump, brackets change the speed.`)
    this.relegend()
  }

  sources() {
    const told = this.traces.filter(trace => trace.code)
    const sparse = this.traces.filter(trace => trace.steps.length <= trace.last)
    const notes = sparse.map(trace => make("div", { class: "wv-model" }, `${trace.name}: ${trace.steps.length} of ${trace.last + 1} steps are shown, the mesh is large.`))
    if (!told.length) return notes
    const blocks = told.map(trace => make("pre", {}, `# ${trace.name}${trace.paper ? ` · ${trace.paper}` : ""}\n${trace.code}`))
    return [...notes, make("details", {}, make("summary", {}, "the algorithms' own source"), make("div", { class: "wv-code", style: `grid-template-columns: repeat(${Math.min(2, blocks.length)}, minmax(0, 1fr))` }, ...blocks))]
  }

  has(show) {
    return this.setup.needs[show].every(layer => this.traces.every(trace => trace.layers[layer]))
  }

  relegend() {
    const strip = make("span", { class: "wv-aside" }, "Strip: the busiest link of each run, light: idle, dark: full.")
    this.legend.replaceChildren(...legend(this.layer, this.traces, this.setup.scale, this.setup.palettes), strip)
    heatStrip(this.strip, this.traces, this.clock, this.setup.palettes.links)
    this.range.max = this.clock.end
  }

  listen() {
    // A page of its own hears keys before anything has the focus.
    if (this.setup.url) document.addEventListener("keydown", event => event.target === document.body && this.pressed(event))
    this.root.addEventListener("keydown", event => this.pressed(event))
  }

  pressed(event) {
    if (event.target.tagName === "SELECT" || event.target.classList.contains("wv-state") || event.ctrlKey || event.metaKey || event.altKey) return
    const slider = event.target === this.range
    const press = {
      " ": () => event.target.tagName !== "BUTTON" && event.target.type !== "checkbox" && event.target.tagName !== "SUMMARY" && (this.toggle(), true),
      ArrowRight: () => (this.step(1), true),
      ArrowLeft: () => (this.step(-1), true),
      Home: () => (this.seek(0), true),
      End: () => (this.seek(this.clock.end), true),
      "[": () => (this.faster(-1), true),
      "]": () => (this.faster(1), true),
    }[event.key]
    if (press && press()) event.preventDefault()
    if (press || slider) event.stopPropagation()
  }

  faster(way) {
    const speeds = Object.values(SPEEDS)
    const at = Math.max(0, Math.min(speeds.length - 1, speeds.indexOf(this.speed) + way))
    this.speed = this.chosen("speed", Object.keys(SPEEDS)[at], speeds[at])
  }

  setClock(kind) {
    const at = this.maps[0].step
    this.clock = clockOf(this.traces, kind)
    this.relegend()
    this.seek(timeOf(this.traces[0], this.clock, Math.max(0, at)))
  }

  choose(layer) {
    this.layer = layer
    this.relegend()
    this.draw()
  }

  toggle() {
    if (this.playing) return this.pause()
    if (this.time >= this.clock.end) this.time = 0
    this.playing = true
    this.play.textContent = "❚❚"
    this.play.setAttribute("aria-label", "pause")
    this.play.title = "pause"
    this.last = performance.now()
    requestAnimationFrame(now => this.frame(now))
  }

  pause() {
    this.playing = false
    this.play.textContent = "▶"
    this.play.setAttribute("aria-label", "play")
    this.play.title = "play"
    this.draw()
    this.settle()
  }

  // Units of the clock a second at normal speed: 1.6 steps on small meshes, the whole run in 12 s on large ones.
  pace() {
    const longest = Math.max(...this.traces.map(trace => trace.last))
    return this.clock.end / Math.max(3, Math.min(this.small ? 0.6 * longest : 12, 60))
  }

  frame(now) {
    if (!this.playing || !this.root.isConnected) return
    this.time += ((now - this.last) / 1000) * this.pace() * this.speed
    this.last = now
    if (this.time >= this.clock.end) {
      this.time = this.loop ? 0 : this.clock.end
      if (!this.loop) this.pause()
    }
    this.draw()
    if (this.playing) requestAnimationFrame(later => this.frame(later))
  }

  step(way) {
    if (this.playing) this.pause()
    this.seek(neighbour(this.traces, this.clock, this.time, way))
  }

  seek(time, scrubbing = false) {
    this.time = Math.max(0, Math.min(this.clock.end, time))
    this.draw()
    if (!scrubbing && !this.playing) this.settle()
  }

  // The reader has come to rest: say the step, and let Python know it.
  settle() {
    const said = this.maps.map(map => `${map.trace.name}: ${map.trace.sentences[map.step]}`)
    this.live.textContent = said.join(" ")
    const state = this.state()
    this.kept.value = state
    if (this.setup.url) history.replaceState(null, "", `#${state}`)
    this.args.heard.data = { step: this.maps.map(map => map.step), state: this.maps.map(() => state) }
  }

  draw() {
    const glide = this.small && !this.still
    this.maps.forEach((map, number) => {
      const { step, part } = standing(map.trace, this.clock, this.time)
      if (map.show(this.layer, step, part, glide)) this.paints++
      if (this.args.cursors[number]) this.args.cursors[number].location = cycleAt(map.trace, step, part)
      const [, sentence, verdict] = this.captions[number].children
      if (sentence.textContent !== map.trace.sentences[step]) sentence.textContent = map.trace.sentences[step]
      const { trace } = map
      const done = (step === trace.last && part >= 1) || (trace.wrongStep >= 0 && step >= trace.wrongStep)
      const told = done && trace.verdict ? `${trace.right ? "✓" : "✗"} ${trace.verdict}` : ""
      if (verdict.textContent !== told) verdict.textContent = told
      verdict.className = map.trace.right ? "wv-verdict" : "wv-verdict wv-broken"
    })
    this.range.value = this.time
    const first = this.maps[0]
    const unit = this.clock.kind === "cycles" ? `cycle ${Math.round(this.time).toLocaleString("en")} of ${this.clock.end.toLocaleString("en")}` : `step ${Math.ceil(this.time)} of ${this.clock.end}`
    const also = this.maps.length === 1 && this.clock.kind === "cycles" ? ` · step ${first.step} of ${first.trace.last}` : ""
    const sparse = this.traces.some(trace => trace.steps.length <= trace.last)
    this.place.textContent = unit + also + (sparse ? ` · ${first.trace.steps.length} of ${(first.trace.last + 1).toLocaleString("en")} steps shown` : "")
    this.range.setAttribute("aria-valuetext", unit)
    this.ranking.textContent = this.time >= this.clock.end ? this.setup.ranking : ""
    const at = this.watched && this.maps[this.watched[0]].step
    if (this.watched && (!this.playing || at !== this.said)) this.inspect(...this.watched)
    this.said = at
  }

  resized() {
    this.maps.forEach(map => map.draw(this.layer, map.drawn))
  }

  // What sits under the pointer: called by the figures with positions in cores.
  inspect(number, x, y, pin = false) {
    const map = this.maps[number]
    const { trace } = map
    const target = this.layer === "links" ? linkAt(trace, x, y) : coreAt(trace, x, y)
    if (!target) return
    this.watched = [number, x, y]
    if (pin) {
      const same = map.pinned && map.pinned.x === target.x && map.pinned.y === target.y && map.pinned.direction === target.direction
      map.pinned = same ? null : target
      map.outline()
    }
    this.inspector.textContent = target.direction === undefined ? coreWords(map, target) : linkWords(map, target, this.setup.scale)
  }
}

function coloursOf(palettes) {
  const links = table(palettes.links)
  return {
    cyclic: table(palettes.cyclic), cyclicText: palettes.cyclic, amount: table(palettes.amount), difference: table(palettes.difference),
    link: level => (level ? links[level] : word("#eef0f3")),
    ink: word("#1b2230"), paper: word("#ffffff"), empty: word("#e6e9ee"), core: word("#dde1e8"), broken: word("#d1495b"),
  }
}

function coreAt(trace, x, y) {
  const core = { x: Math.floor(x), y: Math.floor(y) }
  return core.x >= 0 && core.y >= 0 && core.x < trace.columns && core.y < trace.rows ? core : null
}

// The link lane under the pointer on a map of links, or the core.
function linkAt(trace, x, y) {
  const core = coreAt(trace, x, y)
  if (!core || folded(trace)) return core
  const [dx, dy] = [x - core.x, y - core.y]
  if (dx >= CORE && dy < CORE) return dy < CORE / 2 ? { ...core, direction: 0 } : { x: (core.x + 1) % trace.columns, y: core.y, direction: 1 }
  if (dy >= CORE && dx < CORE) return dx >= CORE / 2 ? { ...core, direction: 2 } : { x: core.x, y: (core.y + 1) % trace.rows, direction: 3 }
  return core
}

// Several blocks sit on one core.
function folded(trace) {
  return trace.coreRows !== trace.rows || trace.coreColumns !== trace.columns
}

// The physical core of a place on the map.
function seat(trace, y, x) {
  return [Math.floor((y * trace.coreRows) / trace.rows), Math.floor((x * trace.coreColumns) / trace.columns)]
}

// Hops that a tile makes between physical cores.
function hopsOf(trace, flow) {
  if (!folded(trace)) return Math.abs(flow.dx) + Math.abs(flow.dy)
  const [y, x] = seat(trace, flow.y, flow.x)
  const [toY, toX] = seat(trace, flow.toY, flow.toX)
  return Math.abs(shorter(toX - x, trace.coreColumns, trace.torus)) + Math.abs(shorter(toY - y, trace.coreRows, trace.torus))
}

function coreWords(map, { x, y }) {
  const { trace } = map
  const place = y * trace.columns + x
  const [coreY, coreX] = seat(trace, y, x)
  const read = (layer, missing) => {
    const frame = frameOf(trace, layer, map.settled)
    return frame ? frame[place] : missing
  }
  const exact = trace.blocks <= 255
  const parts = [folded(trace) ? `${trace.name}, block (${y},${x}) of C on core (${coreY},${coreX})` : `${trace.name}, core (${y},${x})`]
  const [a, b] = [read("a", 0), read("b", 0)]
  const row = read("a_row", y + 1) - 1
  const column = read("b_column", x + 1) - 1
  if (trace.layers.a) parts.push(exact ? `holds ${a ? `A block (${row},${a - 1})` : "no block of A"} and ${b ? `B block (${b - 1},${column})` : "no block of B"}` : "")
  if (trace.layers.filled) parts.push(`C has ${Math.round((read("filled", 0) * trace.blocks) / 255)} of ${trace.blocks} blocks`)
  if (trace.routes) parts.push(`${trace.routes[coreY][coreX]} routes`)
  parts.push(`${trace.needed.toLocaleString("en")} of ${trace.limit.toLocaleString("en")} B set aside`)
  for (const flow of map.transfers(map.step).filter(flow => flow.toY === y && flow.toX === x)) {
    const hops = hopsOf(trace, flow)
    parts.push(`${flow.name} came from (${flow.y},${flow.x}), ${hops === 0 ? "on the same core" : hops === 1 ? "1 hop" : `${hops} hops`}`)
  }
  return parts.filter(Boolean).join("; ") + "."
}

function linkWords(map, link, scale) {
  const { trace, step } = map
  const frame = frameOf(trace, "traffic", step)
  const name = ["east", "west", "south", "north"][link.direction]
  const level = frame ? frame[link.direction * trace.rows * trace.columns + link.y * trace.columns + link.x] : 0
  const behind = map.behind(link)
  const told = behind.slice(0, 4).map(flow => `${flow.name} block ${flow.level ? `k=${flow.level - 1} ` : ""}from (${flow.y},${flow.x}) to (${flow.toY},${flow.toX})`)
  const more = behind.length > 4 ? ` and ${behind.length - 4} more` : ""
  const amount = level ? `about ${Math.max(1, Math.floor((level * scale.words) / 255)).toLocaleString("en")} words in this step` : "idle in this step"
  return `${trace.name}, link ${name} of core (${link.y},${link.x}): ${amount}${told.length ? `; behind it: ${told.join("; ")}${more}` : ""}.`
}

// Called by Bokeh when the map has its size: wafers with more and more dead cores, remapped in the picture.
export default async (args, figure, data, { index }) => {
  const root = stageOf(args, index)
  if (!root) return
  const setup = JSON.parse(args.setup)
  setup.dead = await inflate(setup.dead)
  setup.columns = new Int8Array((await inflate(setup.columns)).buffer)
  new Wafer(args, root, setup)
}

class Wafer {
  constructor(args, root, setup) {
    Object.assign(this, { args, root, setup, clusters: 0, wafer: 0, spares: Math.min(2, setup.spares.length - 1), row: 0, mean: 0 })
    this.live = make("p", { class: "wv-said", "aria-live": "polite" })
    this.place = new Transport(root, "dead cores of a wafer, mean", time => this.at(time), () => this.say())
    this.row_range = make("input", { type: "range", min: 0, max: setup.rows - 1, step: 1, value: 0, "aria-label": "row shown as a ring", oninput: event => this.choose({ row: Number(event.target.value) }) })
    this.row_range.addEventListener("keydown", event => event.stopPropagation())
    const spares = setup.spares.map((number, at) => [at, String(number)])
    root.append(
      make("h2", {}, setup.title),
      this.place.element,
      make("div", { class: "wv-row" },
        switched("defects fall", setup.clusters.map((name, at) => [at, name]), 0, clusters => this.another({ clusters })),
        switched("spare columns", spares, this.spares, chosen => this.choose({ spares: chosen })),
        make("label", {}, "row ", this.row_range),
        button("another wafer", "another wafer", () => this.another({ wafer: (this.wafer + 1) % setup.wafers })),
      ),
      this.live,
      swatches(args.shades, args.accent),
      make("div", { class: "wv-model" }, setup.model),
    )
    root.querySelector('[aria-label="another wafer"]').className = "wv-pick"
    args.map_figure.on_event("tap", event => this.choose({ row: Math.max(0, Math.min(setup.rows - 1, Math.round(event.y))) }))
    this.place.lay(setup.means.length - 1, setup.means.map((_, at) => at))
    this.place.seek(Math.min(4, setup.means.length - 1))
    this.choose({ row: this.broken() })
  }

  // The first row with a dead core in the part that software uses.
  broken() {
    for (let row = 0; row < this.setup.rows; row++) if (this.dead(row).slice(0, this.setup.cores).includes(1)) return row
    return 0
  }

  at(time) {
    this.mean = Math.round(time)
    this.place.place.textContent = `${counted(this.setup.means[this.mean], "dead core")} a wafer, mean`
    this.draw()
  }

  choose(change) {
    Object.assign(this, change)
    this.row_range.value = this.row
    this.draw()
    this.say()
  }

  another(change) {
    Object.assign(this, change)
    this.choose({ row: this.broken() })
  }

  get frame() {
    const { setup } = this
    return (this.clusters * setup.wafers + this.wafer) * setup.means.length + this.mean
  }

  dead(row) {
    const { rows, width } = this.setup
    const start = (this.frame * rows + row) * width
    return this.setup.dead.subarray(start, start + width)
  }

  columns(row) {
    const { rows, cores, spares } = this.setup
    const start = ((this.frame * spares.length + this.spares) * rows + row) * cores
    return this.setup.columns.subarray(start, start + cores)
  }

  get wide() {
    return this.setup.cores + this.setup.spares[this.spares]
  }

  draw() {
    this.drawCores()
    this.drawLinks()
    this.drawRing()
    this.drawChance()
  }

  drawCores() {
    const { shades, ink, map, map_figure } = this.args
    const cells = { x: [], y: [], fill: [], edge: [], wide: [], hatch: [], text: [], ink: [] }
    for (let row = 0; row < this.setup.rows; row++) {
      const [dead, columns] = [this.dead(row), this.columns(row)]
      const fails = columns[0] < 0
      for (let x = 0; x < this.wide; x++) {
        const core = columns.indexOf(x)
        const kind = dead[x] ? "dead" : fails ? "fails" : core < 0 ? "spare" : core === x ? "place" : "moved"
        cells.x.push(x)
        cells.y.push(row)
        cells.fill.push(shades[kind])
        cells.edge.push(kind === "spare" ? "#8a93a3" : kind === "fails" ? "#b3263c" : kind === "dead" || x >= this.setup.cores ? ink : "#b9c0cc")
        cells.wide.push(x >= this.setup.cores && core >= 0 ? 2.5 : 1)
        cells.hatch.push(fails && !dead[x] ? "/" : " ")
        cells.text.push(dead[x] ? "✕" : core >= 0 ? String(core) : "")
        cells.ink.push(dead[x] ? "#ffffff" : ink)
      }
    }
    map.cores.data = cells
    map.band.data = { y: [this.row] }
    map_figure.title.text = `${this.setup.rows} x ${this.setup.cores} cores; numbers: columns for software`
  }

  // Links between neighbours that software sees; those longer than one hop in the accent colour.
  drawLinks() {
    const links = { xs: [], ys: [], colour: [], width: [] }
    const add = (xs, ys, far) => {
      links.xs.push(xs)
      links.ys.push(ys)
      links.colour.push(far ? this.args.accent : "#c6ccd6")
      links.width.push(far ? 3 : 1.5)
    }
    for (const far of [false, true]) {
      for (let row = 0; row < this.setup.rows; row++) {
        const columns = this.columns(row)
        if (columns[0] < 0) continue
        const next = row + 1 < this.setup.rows ? this.columns(row + 1) : null
        for (let core = 0; core < this.setup.cores; core++) {
          const gap = core + 1 < this.setup.cores ? columns[core + 1] - columns[core] : 0
          if (gap && gap > 1 === far) add(...over(columns[core], gap, row), far)
          if (next && next[0] >= 0 && (next[core] !== columns[core]) === far) add([columns[core], next[core]], [row + 0.35, row + 0.65], far)
        }
      }
    }
    this.args.map.links.data = links
  }

  drawRing() {
    const { ring, ring_figure, accent, ink } = this.args
    const [dead, columns] = [this.dead(this.row), this.columns(this.row)]
    const arcs = { xs: [], ys: [], colour: [], width: [] }
    const ways = columns[0] < 0 ? [] : this.setup.ring.map((core, at) => [columns[this.setup.ring[(at + 1) % this.setup.ring.length]], columns[core]])
    this.longest = Math.max(0, ...ways.map(([from, to]) => Math.abs(to - from)))
    for (const far of [false, true]) {
      for (const [from, to] of ways) {
        const long = Math.abs(to - from) === this.longest && this.longest > 2
        if (long !== far) continue
        const turn = Array.from({ length: 25 }, (_, i) => (Math.PI * i) / 24)
        arcs.xs.push(turn.map(angle => (from + to) / 2 + ((from - to) / 2) * Math.cos(angle)))
        arcs.ys.push(turn.map(angle => ((to - from) / 2.6) * Math.sin(angle)))
        arcs.colour.push(far ? accent : ink)
        arcs.width.push(far ? 3 : 1.5)
      }
    }
    ring.arcs.data = arcs
    const x = Array.from({ length: this.wide }, (_, at) => at)
    ring.dots.data = { x, y: x.map(() => 0), marker: x.map(at => (dead[at] ? "x" : columns.includes(at) ? "circle" : "circle_dot")), size: x.map(at => (dead[at] ? 14 : columns.includes(at) ? 8 : 5)) }
    ring_figure.title.text = ways.length ? `Row ${this.row} as an interleaved ring: longest hop ${this.longest}` : `Row ${this.row} fails: ${this.lost(this.row)} dead cores`
  }

  drawChance() {
    const { chance, accent, ink } = this.args
    const curves = this.setup.chance[this.clusters]
    const last = curves.map(curve => curve[curve.length - 1])
    const colour = curves.map((_, at) => (at === this.spares ? accent : "#8a93a3"))
    chance.lines.data = { xs: curves.map(() => this.setup.means), ys: curves, colour, width: curves.map((_, at) => (at === this.spares ? 4 : 2)) }
    chance.ends.data = { ...chance.ends.data, y: apart(last, 0.115), colour: curves.map((_, at) => (at === this.spares ? accent : ink)) }
    chance.here.data = { x: [this.setup.means[this.mean]], y: [curves[this.spares][this.mean]] }
  }

  lost(row) {
    return this.dead(row).slice(0, this.wide).reduce((sum, one) => sum + one, 0)
  }

  say() {
    const { setup } = this
    const all = Array.from({ length: setup.rows }, (_, row) => row)
    const failing = all.filter(row => this.columns(row)[0] < 0)
    const number = all.reduce((sum, row) => sum + this.lost(row), 0)
    const words = [`Wafer ${this.wafer + 1}: ${number} of ${setup.rows * this.wide} cores are dead.`]
    if (failing.length) words.push(`${counted(failing.length, "row")} fail${failing.length === 1 ? "s" : ""} (row ${failing[0]} has ${this.lost(failing[0])} dead cores and ${counted(setup.spares[this.spares], "spare")}); software cannot have a full mesh.`)
    else {
      const [hidden, physical] = setup.cycles[this.clusters][this.wafer][this.mean][this.spares]
      words.push(`Every row works. ${setup.program} takes ${said(hidden)} cycles on ${setup.machine} when hardware hides the longer links, ${said(physical)} when each physical hop costs ${said(setup.hop)}: ${said((100 * (physical - hidden)) / hidden)} % more.`)
    }
    if (this.columns(this.row)[0] >= 0) words.push(`Row ${this.row}: ${this.lost(this.row) ? counted(this.lost(this.row), "dead core") : "no dead core"}, the ring's longest hop is ${this.longest}${this.longest > 2 ? " instead of 2" : ""}.`)
    words.push(`Of wafers like this, ${percent(setup.chance[this.clusters][this.spares][this.mean])} work.`)
    this.live.textContent = words.join(" ")
  }
}

// A link of a row: straight between neighbours, a bow over dead cores.
function over(from, gap, row) {
  if (gap === 1) return [[from + 0.37, from + 0.63], [row, row]]
  const share = Array.from({ length: 13 }, (_, i) => i / 12)
  return [share.map(at => from + 0.2 + at * (gap - 0.4)), share.map(at => row - 0.36 - 0.22 * Math.sin(Math.PI * at))]
}

// Labels at the ends of lines, moved until they do not touch.
function apart(places, least) {
  const order = places.map((_, at) => at).sort((a, b) => places[a] - places[b])
  const out = [...places]
  order.forEach((at, rank) => rank && (out[at] = Math.max(out[at], out[order[rank - 1]] + least)))
  return out
}

function percent(share) {
  return share > 0 && share < 0.001 ? "less than 0.1 %" : share > 0.999 && share < 1 ? "more than 99.9 %" : `${said(100 * share)} %`
}

function swatches(shades, accent) {
  const boxes = [
    [`background:${shades.place}`, "at its own place"],
    [`background:${shades.moved}`, "renumbered"],
    [`background:${shades.moved};border:2px solid #1b2230`, "spare in use"],
    [`background:${shades.spare}`, "spare"],
    [`background:${shades.dead}`, "✕ dead"],
    ["background:repeating-linear-gradient(45deg,#b3263c 0 3px,#fff 3px 6px)", "row fails"],
    [`background:${accent};height:4px;vertical-align:4px;border:0`, "link longer than one hop"],
  ]
  return make("div", { class: "wv-swatches" }, ...boxes.map(([style, words]) => make("span", {}, make("i", { style }), words)))
}

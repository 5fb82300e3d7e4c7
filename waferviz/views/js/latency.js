// Called by Bokeh when the map has its size: cycles from one core to every other, the core moved here.
export default (args, figure, data, { index }) => {
  const root = stageOf(args, index)
  if (root) new Map_(args, root, JSON.parse(args.setup))
}

class Map_ {
  constructor(args, root, setup) {
    Object.assign(this, { args, root, setup, palette: table(args.colours), relayed: false, core: [...setup.core] })
    this.live = make("p", { class: "wv-said", "aria-live": "polite" })
    this.facts = make("tbody", {})
    this.pointed = make("p", { class: "wv-inspector" }, "Point at a core of the map to read its number.")
    root.append(
      make("h2", {}, setup.title),
      switched("on the way", [[false, "routers pass it on (hop)"], [true, "cores take it in and send it on (relay)"]], false, relayed => {
        this.relayed = relayed
        this.draw()
      }),
      this.live,
      this.pointed,
      make("table", { class: "wv-shares", "aria-label": "latency by distance" }, this.facts),
      make("p", {}, "Click the map, or press the arrow keys, to move the sender."),
      make("div", { class: "wv-model" }, setup.model),
    )
    root.tabIndex = 0
    root.setAttribute("role", "region")
    root.setAttribute("aria-label", "sender")
    root.addEventListener("keydown", event => this.key(event))
    args.picture.on_event("tap", event => this.move(Math.floor(event.y), Math.floor(event.x)))
    args.picture.on_event("mousemove", event => this.point(Math.floor(event.y), Math.floor(event.x)))
    this.draw()
  }

  // The cycles to the core under the pointer.
  point(y, x) {
    const { rows, columns, clock } = this.setup
    if (y < 0 || x < 0 || y >= rows || x >= columns) return
    const hops = this.way(y, x)
    const cycles = this.cycles(hops)
    this.pointed.textContent = `Core (${y}, ${x}): ${counted(hops, "hop")} away, ${hops ? `${counted(cycles, "cycle")}, ${said(cycles / clock)} ns` : "its own memory, 1 cycle"}.`
  }

  key(event) {
    const way = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] }[event.key]
    if (!way || event.target.type === "radio" || event.ctrlKey || event.metaKey || event.altKey) return
    event.preventDefault()
    event.stopPropagation()
    const far = Math.max(1, Math.round(Math.min(this.setup.rows, this.setup.columns) / 20))
    this.move(this.core[0] + way[0] * far, this.core[1] + way[1] * far)
  }

  move(y, x) {
    const { rows, columns } = this.setup
    this.core = [Math.max(0, Math.min(rows - 1, y)), Math.max(0, Math.min(columns - 1, x))]
    this.draw()
  }

  way(y, x) {
    const { rows, columns, torus } = this.setup
    const [down, across] = [Math.abs(y - this.core[0]), Math.abs(x - this.core[1])]
    return torus ? Math.min(down, rows - down) + Math.min(across, columns - across) : down + across
  }

  cycles(hops) {
    const { words, hop, ramp, relay } = this.setup
    if (!hops) return 0
    return words + (this.relayed ? hops * relay : hops * hop + 2 * ramp + 1)
  }

  draw() {
    const { rows, columns } = this.setup
    const { image, sender, picture } = this.args
    const [high, wide] = [Math.min(rows, 480), Math.min(columns, 480)]
    const pixels = new Uint32Array(high * wide)
    const farthest = this.setup.torus ? (rows >> 1) + (columns >> 1) : Math.max(this.core[0], rows - 1 - this.core[0]) + Math.max(this.core[1], columns - 1 - this.core[1])
    const top = this.cycles(rows + columns - 2)
    for (let y = 0; y < high; y++) {
      for (let x = 0; x < wide; x++) {
        const hops = this.way(Math.floor(((y + 0.5) * rows) / high), Math.floor(((x + 0.5) * columns) / wide))
        pixels[y * wide + x] = this.palette[Math.round((255 * this.cycles(hops)) / top)]
      }
    }
    this.put(image, pixels, [high, wide], {})
    sender.data = { x: [this.core[1] + 0.5], y: [this.core[0] + 0.5] }
    picture.title.text = `${counted(rows, "row")} x ${counted(columns, "column")}`
    this.shades(top)
    this.say(farthest)
  }

  shades(top) {
    const { bar, shades } = this.args
    bar.y_range.setv({ start: 0, end: top })
    this.put(shades, Uint32Array.from({ length: 256 }, (_, level) => this.palette[level]), [256, 1], { dh: [top] })
  }

  put(source, pixels, shape, rest) {
    const held = source.data.image[0]
    const picture = new held.constructor(shape[0] * shape[1], shape)
    picture.set(pixels)
    source.data = { ...source.data, image: [picture], ...rest }
  }

  say(farthest) {
    const { setup } = this
    const rows = [["own memory", 1, 0], ["a neighbour", this.cycles(1), 1], ["half-way", this.cycles(farthest >> 1), farthest >> 1], ["the farthest core", this.cycles(farthest), farthest]]
    this.facts.replaceChildren(
      ...rows.map(([who, cycles, hops]) =>
        make("tr", {}, make("th", { scope: "row" }, who), make("td", {}, counted(hops, "hop")), make("td", {}, make("b", {}, counted(cycles, "cycle"))), make("td", {}, `${said(cycles / setup.clock)} ns`)),
      ),
    )
    this.live.textContent = `From core (${this.core.join(", ")}) the farthest core is ${counted(farthest, "hop")} away: ${counted(setup.words, "word")} takes ${counted(this.cycles(farthest), "cycle")}, ${said(this.cycles(farthest) / this.cycles(1))} times as long as to a neighbour.`
  }
}

// Called by Bokeh when the marks have their size: choose a shape, draw its tables, broadcast and multiplexers, play its planes.
export default (args, figure, data, { index }) => {
  const root = stageOf(args, index)
  if (root) new Unit(args, root, figure, JSON.parse(args.setup))
}

class Unit {
  constructor(args, root, figure, setup) {
    Object.assign(this, { args, figure, setup, bits: 2 })
    const [M, N, K] = setup.built
    this.at = Math.max(0, setup.shapes.findIndex(shape => shape.M === M && shape.N === N && shape.K === K))
    this.live = make("p", { class: "wv-said", "aria-live": "polite" })
    this.picture = svg("svg", { viewBox: "0 0 1220 250", role: "img", "aria-label": setup.title, style: "width:100%;min-width:780px;display:block" })
    this.transport = new Transport(root, "cycles", time => this.draw(time), () => this.speak())
    const names = setup.shapes.map((shape, at) => [at, `M${shape.M} N${shape.N} K${shape.K}`])
    const choices = make("div", { class: "wv-row" },
      chooser("shape, tokens M by outputs N by activations K", names, this.at, value => this.choose({ at: Number(value) })),
      switched("bits of a weight", [1, 2, 4].map(bits => [String(bits), String(bits)]), "2", value => this.choose({ bits: Number(value) })),
    )
    root.append(make("h2", {}, setup.title), choices, make("div", { style: "overflow-x:auto" }, this.picture), this.live, this.transport.element, make("div", { class: "wv-stats" }, "Below, every shape of as many lanes: circles K1, squares K2, triangles K4, diamonds K8; the ring is the chosen one. Low and to the left is good."), make("div", { class: "wv-model" }, setup.model))
    this.choose({})
  }

  get shape() {
    return this.setup.shapes[this.at]
  }

  choose(choice) {
    Object.assign(this, choice)
    this.transport.seconds = 2 * this.bits
    this.transport.lay(this.bits, Array.from({ length: this.bits + 1 }, (_, at) => at))
    this.args.chosen.data = { x: [this.shape.io], y: [this.shape.storage] }
    const { io, storage } = this.shape
    const better = this.setup.shapes.filter(other => other.K === this.shape.K && other.io <= io && other.storage <= storage && (other.io < io || other.storage < storage))
    this.figure.title.text = better.length ? `Better with the same K: ${better.slice(0, 4).map(other => `M${other.M} N${other.N}`).join(", ")} let in no more and store no more` : `No shape with K ${this.shape.K} lets in no more and stores no more than M${this.shape.M} N${this.shape.N}`
    this.speak()
  }

  draw(time) {
    const { M, N, K, inputs } = this.shape
    const plane = Math.min(this.bits - 1, Math.floor(time))
    const wave = time - plane
    const [left, wide] = [330, 870]
    const tall = Math.min(200, Math.max(26, M * 26))
    const cell = { width: wide / N, height: tall / M }
    const entry = Math.min(18, 220 / inputs)
    const head = [
      words(10, 18, `${M} table${M > 1 ? "s" : ""} of ${inputs}`, { "font-weight": 600 }),
      words(left, 18, `${said(M * N)} multiplexers, ${N} to a table; plane ${plane} of ${this.bits}`, { "font-weight": 600 }),
    ]
    const rows = Array.from({ length: M }, (_, m) => {
      const y = 30 + m * cell.height
      const shown = Math.min(N, 256)
      const reach = left + wide * Math.min(1, wave * 1.6)
      return [
        ...Array.from({ length: inputs }, (_, at) => svg("rect", { x: 10 + at * entry, y: y + 1, width: Math.max(1, entry - 1), height: Math.max(2, cell.height - 3), fill: "#cfe3f1", stroke: "#31688e", "stroke-width": entry > 4 ? 1 : 0 })),
        svg("line", { x1: 12 + inputs * entry, x2: reach, y1: y + cell.height / 2, y2: y + cell.height / 2, stroke: this.args.accent, "stroke-width": Math.min(4, cell.height / 4) }),
        ...Array.from({ length: shown }, (_, n) => {
          const x = left + n * (wide / shown)
          return svg("rect", { x, y: y + 1, width: Math.max(1, wide / shown - 1), height: Math.max(2, cell.height - 3), fill: x < reach ? "#fdecee" : "#fff", stroke: "#8a93a3", "stroke-width": wide / shown > 4 ? 1 : 0.3, "fill-opacity": 0.7 })
        }),
      ]
    }).flat()
    this.picture.setAttribute("viewBox", `0 0 1220 ${tall + 40}`)
    this.picture.replaceChildren(...head, ...rows)
    this.transport.place.textContent = time >= this.bits ? `done after ${counted(this.bits, "cycle")}` : `cycle ${plane + 1} of ${this.bits}`
  }

  speak() {
    const { M, N, K, storage, io, fan_out: fan, inputs, lanes, weights } = this.shape
    this.live.textContent = `M${M} N${N} K${K}: ${said(lanes)} one-bit lanes; tables of ${said(storage)} bits, each entry goes to ${counted(fan, "multiplexer")} of ${counted(inputs, "input")}; ${said(io)} bits enter for each activation; a tile of ${said(weights * this.bits)} weight bits takes ${counted(this.bits, "cycle")}.`
  }
}

// Called by Bokeh when the bars have their size: arrays that each build the same table, and the operator graphs that need not.
export default (args, figure, data, { index }) => {
  const root = stageOf(args, index)
  if (root) new Builders(args, root, JSON.parse(args.setup))
}

const COLUMNS = 96

class Builders {
  constructor(args, root, setup) {
    Object.assign(this, { args, setup })
    const { "per array": each, separate, fused } = setup.places
    this.arrays = each.built
    this.acts = each.traffic
    this.tables = fused.traffic
    this.apart = separate.traffic
    this.rows = Math.ceil(this.arrays / COLUMNS)
    this.cell = Math.max(2, Math.min(12, 200 / this.rows))
    this.tall = 40 + this.rows * this.cell + 160
    this.picture = svg("svg", { viewBox: `0 0 1220 ${this.tall}`, role: "img", "aria-label": setup.title, style: "width:100%;min-width:780px;display:block" })
    this.live = make("p", { class: "wv-said", "aria-live": "polite" })
    this.transport = new Transport(root, "arrays", time => this.draw(Math.round(time)), () => this.speak())
    this.still = svg("g", {}, ...this.graphs())
    this.grid = svg("path", { fill: "#e6e9ee", d: this.squares(0, this.arrays) })
    this.filled = svg("path", { fill: args.accent })
    this.count = words(10, 20, "", { "font-weight": 600 })
    this.picture.append(this.count, this.grid, this.filled, this.still)
    root.append(make("h2", {}, setup.title), make("div", { style: "overflow-x:auto" }, this.picture), this.live, this.transport.element, make("div", { class: "wv-model" }, setup.model))
    this.transport.lay(this.arrays, [0, this.arrays])
    this.speak()
  }

  squares(first, end) {
    const wide = 1200 / COLUMNS
    let path = ""
    for (let at = first; at < end; at++) {
      path += `M${10 + (at % COLUMNS) * wide} ${32 + Math.floor(at / COLUMNS) * this.cell}h${wide - 2}v${Math.max(1, this.cell - 1.5)}h${2 - wide}z`
    }
    return path
  }

  graphs() {
    const y = 40 + this.rows * this.cell + 16
    return [
      words(10, y, "separate: built once, by an operation of its own", { "font-weight": 600 }),
      ...this.chain(10, y + 12, [["operation before", 170], [`activations 2 × ${bytes(this.acts)}`, 0], ["build tables", 140], [`tables ${bytes(this.tables)}`, 0], ["look up, add", 140]], `${bytes(this.apart)} through memory`),
      words(10, y + 82, "fused: built once, by the operation before", { "font-weight": 600 }),
      ...this.chain(10, y + 94, [["operation before + build tables", 270], [`tables ${bytes(this.tables)}`, 0], ["look up, add", 140]], `${bytes(this.tables)} through memory`),
    ]
  }

  // Operators as boxes, what goes through memory between them as arrows.
  chain(x, y, parts, total) {
    const drawn = []
    for (const [text, wide] of parts) {
      if (wide) {
        drawn.push(svg("rect", { x, y, width: wide, height: 38, rx: 6, fill: text.includes("build") ? "#fdecee" : "#f4f5f7", stroke: text.includes("build") ? this.args.accent : "#8a93a3", "stroke-width": text.includes("build") ? 3 : 1 }), words(x + wide / 2, y + 24, text, { "text-anchor": "middle" }))
        x += wide
      } else {
        drawn.push(svg("path", { d: `M${x} ${y + 26}h184l-8 -5m8 5l-8 5`, fill: "none", stroke: "#4a5364", "stroke-width": 2 }), words(x + 90, y + 18, text, { "text-anchor": "middle", fill: "#4a5364" }))
        x += 190
      }
    }
    return [...drawn, words(x + 20, y + 24, total, { "font-weight": 600 })]
  }

  draw(arrays) {
    this.filled.setAttribute("d", this.squares(0, arrays))
    this.count.textContent = `per array: ${said(arrays)} of ${said(this.arrays)} arrays have built the same table for themselves`
    this.transport.place.textContent = counted(arrays, "array")
  }

  speak() {
    const { "per array": each, fused } = this.setup.places
    this.live.textContent = `A builder beside every array makes each table ${counted(this.arrays, "time")}: ${said(Number((100 * each.share).toPrecision(3)))} % as many additions as there are lookups. Built once it is ${said(Number((100 * fused.share).toPrecision(3)))} %. Apart, activations and tables take ${bytes(this.apart)} through memory, fused ${bytes(this.tables)}.`
  }
}

function bytes(number) {
  return number >= 1e9 ? `${said(Number((number / 1e9).toPrecision(3)))} GB` : number >= 1e6 ? `${said(Number((number / 1e6).toPrecision(3)))} MB` : `${said(number)} B`
}

// Called by Bokeh when the map has its size: the table, its mirror, the outputs that read it, and the clock of planes.
export default (args, figure, data, { index }) => {
  const root = stageOf(args, index)
  if (root) new Lookup(args, root, figure, JSON.parse(args.setup))
}

const ROW = 40
const TOP = 46
const HALF = 146
const MIRROR = 326
const WIDE = 170
const RIGHT = 514
const STILL = matchMedia("(prefers-reduced-motion: reduce)")

class Lookup {
  constructor(args, root, heat, setup) {
    Object.assign(this, { args, root, heat, setup, folded: false, alphas: false, followed: 0, cycle: -1 })
    this.entries = 2 ** setup.size
    this.rows = this.entries / 2
    this.dots = Uint8Array.from(atob(setup.dots), letter => letter.charCodeAt(0))
    const height = TOP + Math.max(this.rows, setup.index[0].length, 5) * ROW + 70
    this.picture = svg("svg", { viewBox: `0 0 1016 ${height}`, role: "img", "aria-label": setup.title, style: "width:100%;min-width:780px;display:block" })
    this.still = svg("g")
    this.moving = svg("g")
    this.picture.append(this.still, this.moving)
    this.live = make("p", { class: "wv-said", "aria-live": "polite", style: "min-height:2.8em" })
    this.counts = make("table", { class: "wv-shares", "aria-label": "operations so far" })
    this.transport = new Transport(root, "cycle", time => this.draw(time), () => this.speak())
    const choices = make("div", { class: "wv-row" },
      switched("table", [["whole", `${this.entries} entries`], ["half", `${this.rows} entries and a sign`]], "whole", value => this.change({ folded: value === "half" })),
      switched("plane weights", [["whole", "1, 2, 4, … then halved"], ["alpha", "½, 1, 2, … (T-MAC)"]], "whole", value => this.change({ alphas: value === "alpha" })),
      chooser("follow", setup.index[0].map((_, output) => [output, `output ${output}`]), 0, value => this.change({ followed: Number(value) })),
    )
    root.append(make("h2", {}, setup.title), choices, this.transport.element, this.live, make("div", { style: "overflow-x:auto" }, this.picture), this.counts, make("div", { class: "wv-model" }, setup.model))
    this.transport.seconds = Math.min(60, 3 * setup.cycles)
    this.transport.lay(setup.cycles, Array.from({ length: setup.cycles + 1 }, (_, at) => at))
    this.speak()
  }

  change(choice) {
    Object.assign(this, choice, { cycle: -1 })
    this.transport.show()
    this.speak()
  }

  // What stands still in a cycle is drawn once; what moves, at every frame.
  draw(time) {
    const cycle = Math.min(this.setup.cycles - 1, Math.floor(time))
    const phase = STILL.matches && time > cycle ? 1 : time - cycle
    const ended = time >= this.setup.cycles
    if (cycle !== this.cycle || this.ended !== ended) {
      Object.assign(this, { cycle, ended })
      this.still.replaceChildren(...this.activations(), ...this.table(), ...this.clock(), ...this.outputs())
      this.gather()
      this.count()
      this.speak()
    }
    this.moving.replaceChildren(...this.setup.index[cycle].flatMap((_, output) => this.chip(output, phase)))
    this.transport.place.textContent = this.ended ? `all ${this.setup.cycles} cycles` : `cycle ${cycle + 1} of ${this.setup.cycles}`
  }

  get group() {
    return Math.floor(this.cycle / this.setup.bits)
  }

  get plane() {
    return this.cycle % this.setup.bits
  }

  // What a plane counts: 1, 2, 4, … and halved at the end, or ½, 1, 2, …
  weight(plane = this.plane) {
    return 2 ** plane / (this.alphas ? 2 : 1)
  }

  activations() {
    const chosen = this.setup.index[this.cycle][this.followed]
    return [
      words(10, 26, "activations", { "font-weight": 600 }),
      ...this.setup.activations[this.group].flatMap((value, at) => {
        const plus = (chosen >> at) & 1
        const y = TOP + 8 + at * 58
        return [
          svg("rect", { x: 10, y, width: 120, height: 46, rx: 6, fill: plus ? "#e7f1f8" : "#f4f5f7", stroke: plus ? "#31688e" : "#8a93a3", "stroke-dasharray": plus ? "" : "5 3" }),
          words(18, y + 29, `a${this.group * this.setup.size + at} = ${number(Number(value.toPrecision(3)))}`),
          words(122, y + 30, plus ? "+" : "−", { "font-size": 22, "text-anchor": "end", "font-weight": 600 }),
        ]
      }),
    ]
  }

  table() {
    const followed = this.setup.index[this.cycle][this.followed]
    const heads = [words(HALF, 26, this.setup.table === "int8" ? "stored entries, 8 bit" : "stored entries", { "font-weight": 600 })]
    heads.push(this.folded ? words(MIRROR, 26, "the mirror is not stored", { fill: "#4a5364" }) : words(MIRROR, 26, "mirror, turned over", { "font-weight": 600 }))
    return [...heads, ...Array.from({ length: this.entries }, (_, entry) => this.entry(entry, followed)).flat()]
  }

  entry(entry, followed) {
    const mirrored = entry >= this.rows
    if (mirrored && this.folded) return []
    const { x, y } = this.place(entry)
    const first = this.alphas && entry === 0
    const reached = this.folded && followed >= this.rows ? this.entries - 1 - followed : followed
    const chosen = entry === reached
    const signs = Array.from({ length: this.setup.size }, (_, at) => ((entry >> at) & 1 ? "+" : "−")).join(" ")
    return [
      svg("rect", { x, y: y + 3, width: WIDE, height: ROW - 6, rx: 5, fill: chosen ? "#fdecee" : mirrored ? "#fafafa" : "#f4f5f7", stroke: chosen ? this.args.accent : first ? "#8a6508" : "#d5d9e0", "stroke-width": chosen || first ? 3 : 1 }),
      words(x + 8, y + 26, String(entry), { fill: "#4a5364" }),
      words(x + 34, y + 26, signs, { fill: mirrored ? "#6b7482" : "#1b2230", "font-family": "monospace" }),
      words(x + WIDE - 8, y + 27, number(this.setup.tables[this.group][entry]), { "text-anchor": "end", "font-size": 17, "font-weight": 600, fill: mirrored ? "#6b7482" : "#1b2230" }),
    ]
  }

  place(entry) {
    const mirrored = entry >= this.rows
    return { x: mirrored ? MIRROR : HALF, y: TOP + (mirrored ? this.entries - 1 - entry : entry) * ROW }
  }

  outputs() {
    const heads = [["weights q", 0], [`bits of plane ${this.plane}`, 92], ["entry", 236], [`× ${plainWeight(this.weight())}`, 326], ["sum", 494]]
    return [
      ...heads.map(([text, x]) => words(RIGHT + x, 26, text, { "font-weight": 600, ...(x === 494 ? { "text-anchor": "end" } : {}) })),
      ...this.setup.index[this.cycle].flatMap((index, output) => this.output(index, output)),
    ]
  }

  output(index, output) {
    const y = TOP + output * ROW + 26
    const colour = output === this.followed ? this.args.accent : "#4a5364"
    const bits = Array.from({ length: this.setup.size }, (_, at) => (index >> at) & 1).join(" ")
    const how = this.folded ? `${this.setup.sign[this.cycle][output] ? "−" : "+"} ${this.setup.address[this.cycle][output]}` : String(index)
    return [
      words(RIGHT, y, this.setup.codes[output][this.group].join(" "), { "font-family": "monospace", "font-weight": output === this.followed ? 600 : 400 }),
      words(RIGHT + 92, y, `${bits} → ${how}`, { "font-family": "monospace", fill: colour, "font-weight": output === this.followed ? 600 : 400 }),
      svg("line", { x1: RIGHT + 420, x2: RIGHT + 498, y1: y + 9, y2: y + 9, stroke: "#d5d9e0" }),
    ]
  }

  // One entry on its way: read, slid to its output, turned over if the sign says so, weighed, added.
  chip(output, phase) {
    const { index, sign, value, total } = this.setup
    const y = TOP + output * ROW
    const half = this.alphas ? 2 : 1
    const before = (this.cycle ? total[this.cycle - 1][output] : 0) / half
    const sum = (phase > 0.94 ? total[this.cycle][output] / half : before)
    const flips = this.folded && sign[this.cycle][output] === 1
    const from = this.place(flips ? this.entries - 1 - index[this.cycle][output] : index[this.cycle][output])
    const slide = ease((phase - 0.12) / 0.4)
    const shift = ease((phase - 0.64) / 0.14)
    const add = ease((phase - 0.82) / 0.12)
    const start = from.x + WIDE - 64
    const x = start + slide * (RIGHT + 212 - start) + shift * 84 + add * 116
    const read = value[this.cycle][output]
    const text = phase > 0.66 ? read * this.weight() : flips && phase < 0.56 ? -read : read
    const turned = flips && phase >= 0.52 && phase < 0.66
    const colour = output === this.followed ? this.args.accent : this.args.ink
    const found = [words(RIGHT + 494, y + 26, number(sum), { "text-anchor": "end", "font-size": 17, "font-weight": 600 }), ...this.read(output, phase, read)]
    if (phase >= 0.94 || (phase <= 0.02 && this.cycle === 0)) return found
    return [
      ...found,
      svg("rect", { x, y: from.y + slide * (y - from.y) + 6, width: 78, height: ROW - 12, rx: 12, fill: "#fff", stroke: colour, "stroke-width": output === this.followed ? 3 : 1.5, opacity: output === this.followed ? 1 : 0.85 }),
      words(x + 39, from.y + slide * (y - from.y) + 26, (turned ? "↻ " : "") + number(text), { "text-anchor": "middle", "font-weight": 600, fill: colour }),
    ]
  }

  // The entry and its weighed value, once they have passed; before the cycle begins, those it is about to read.
  read(output, phase, value) {
    const y = TOP + output * ROW + 26
    const still = phase <= 0.02
    const look = { "text-anchor": "middle", fill: still ? "#6b7482" : "#1b2230" }
    return [
      ...(still || phase > 0.56 ? [words(RIGHT + 251, y, number(value), look)] : []),
      ...(still || phase > 0.8 ? [words(RIGHT + 335, y, number(value * this.weight()), look)] : []),
    ]
  }

  clock() {
    const { cycles, bits } = this.setup
    const y = TOP + Math.max(this.rows, this.setup.index[0].length, 5) * ROW + 14
    const width = Math.min(120, 860 / cycles)
    return [
      words(10, y + 22, "plane clock", { "font-weight": 600 }),
      ...Array.from({ length: cycles }, (_, at) => [
        svg("rect", { x: 140 + at * width, y: y + 4, width: width - 3, height: 26, fill: at === this.cycle ? this.args.accent : at < this.cycle ? "#b9c0cc" : "#eef0f3" }),
        ...(width > 24 ? [words(140 + at * width + width / 2 - 1, y + 22, String(at % bits), { "text-anchor": "middle", fill: at === this.cycle ? "#fff" : "#1b2230" })] : []),
        ...(at % bits === 0 && width * bits > 66 ? [words(140 + at * width, y + 48, `group ${at / bits}`, { fill: "#4a5364", "font-size": 14 })] : []),
      ]).flat(),
    ]
  }

  // All outputs at once: each a dot on the entry that it reads.
  gather() {
    const { dotted, outputs } = this.setup
    const dots = { x: [], y: [], colour: [] }
    const reads = new Set()
    for (let output = 0; output < dotted; output++) {
      const entry = this.dots[this.cycle * dotted + output]
      reads.add(entry)
      dots.x.push(this.group - 0.4 + (0.8 * (output + 0.5)) / dotted)
      dots.y.push(entry)
      dots.colour.push(output === this.followed ? this.args.accent : this.args.ink)
    }
    this.args.dots.data = dots
    this.heat.title.text = `One table, many readers: in this cycle ${counted(dotted, "output")}${dotted < outputs ? ` of ${said(outputs)}` : ""} read ${counted(reads.size, "entry", "entries")} of ${this.entries}`
  }

  count() {
    const { bits, size, outputs } = this.setup
    const done = this.ended ? this.cycle + 1 : this.cycle
    const tables = Math.ceil((done || 1) / bits)
    const builds = tables * (2 ** size - 2)
    const lookups = done * outputs
    const products = Math.ceil(done / bits) * size * outputs
    const pays = size > bits ? `A table costs ${2 ** size - 2} additions and saves ${size - bits} for each output: fewer additions from ${said(Math.floor((2 ** size - 2) / (size - bits)) + 1)} outputs on.` : `With ${bits} bits and groups of ${size} there are as many additions as weights or more; what is saved is every multiplication.`
    const line = (name, ...cells) => make("tr", {}, make("th", { scope: "row" }, name), ...cells.map(cell => make("td", {}, cell)))
    this.counts.replaceChildren(
      line(`so far, ${counted(outputs, "output")}`, make("b", {}, "multiplications"), make("b", {}, "additions for tables"), make("b", {}, "lookups"), make("b", {}, "additions")),
      line("by looking up", "0", said(builds), said(lookups), said(lookups)),
      line("by multiplying", said(products), "0", "0", said(products)),
      make("tr", {}, make("td", { colspan: 5 }, pays)),
    )
  }

  // Words follow the picture; screen readers hear them when it stands.
  speak() {
    this.live.setAttribute("aria-live", this.transport.playing ? "off" : "polite")
    this.live.textContent = this.ended ? this.answer() : this.sentence()
  }

  sentence() {
    const { size, index, sign, address, value, total, tables } = this.setup
    const [cycle, output] = [this.cycle, this.followed]
    const at = index[cycle][output]
    const bits = Array.from({ length: size }, (_, k) => (at >> k) & 1).join(" ")
    const read = value[cycle][output]
    const turned = this.folded && sign[cycle][output]
    const entry = turned ? `the top bit is 1: entry ${address[cycle][output]}, ${number(tables[this.group][address[cycle][output]])}, turned over is ${number(read)}` : `entry ${at} is ${number(read)}`
    return `Group ${this.group}, plane ${this.plane}: the bits ${bits} of output ${output} are index ${at}; ${entry}; times ${plainWeight(this.weight())} is ${number(read * this.weight())}; the sum becomes ${number(total[cycle][output] / (this.alphas ? 2 : 1))}.`
  }

  answer() {
    const { total, zero, scale, sum, result, tableScale, table, cycles, all } = this.setup
    const output = this.followed
    if (cycles < all) return `The first ${cycles} of ${said(all)} cycles are played.`
    const found = total[cycles - 1][output]
    const step = table === "int8" ? ` · table scale ${number(tableScale)}` : ""
    const bias = `${number(zero[output])} · ${number(sum)}`
    if (this.alphas) {
      return `Output ${output}: scale ${number(scale[output])} · (${number(found / 2)}${step} + ${number(zero[output])}/2 · ${number(-sum)}) = ${number(result[output])}. The last term is entry 0 of all tables, ${number(-sum)}: minus the sum of the activations, which nobody has to add up again.`
    }
    return `Output ${output}: scale ${number(scale[output])} / 2 · (${number(found)}${step} − ${bias}) = ${number(result[output])}, with the zero point z' = ${number(zero[output])} times the sum of the activations, ${number(sum)}. No weight was multiplied.`
  }
}

function plainWeight(weight) {
  return weight === 0.5 ? "½" : said(weight)
}

// Called by Bokeh when the meter has its size: weights, bytes and the lines between them; arrows and play follow one weight.
export default (args, figure, data, { index }) => {
  const root = stageOf(args, index)
  if (root) new Microscope(args, root, JSON.parse(args.setup))
}

const BIT = 15
const BYTES = 8
const SHADES = ["#f7d8c4", "#cfe3f1", "#dfe9cf", "#ecdff0", "#fdf0c8", "#d8e8e4"]

class Microscope {
  constructor(args, root, setup) {
    Object.assign(this, { args, root, setup, chosen: 0, other: -1 })
    this.fieldsOf = setup.weights.map(() => [])
    setup.fields.forEach((field, at) => field[4].forEach(weight => this.fieldsOf[weight].push(at)))
    this.shown = setup.bytes.length - Math.max(0, setup.tail - 4)
    this.lines = Math.ceil(setup.weights.length / setup.perLine)
    this.below = 34 + this.lines * 28 + 40
    this.tall = this.below + Math.ceil(this.shown / BYTES) * 46 + 12
    this.picture = svg("svg", { role: "img", "aria-label": setup.title, style: "width:100%;min-width:780px;display:block" })
    this.live = make("p", { class: "wv-said", "aria-live": "polite", style: "min-height:2.8em" })
    this.transport = new Transport(root, "weight", time => this.follow(Math.min(setup.weights.length - 1, Math.floor(time))), () => this.speak())
    const layouts = [[-1, `${setup.name}, as it was packed`], ...setup.others.map((other, at) => [at, `${other.name}: the other layout`])]
    root.append(
      make("h2", {}, setup.title),
      make("div", { class: "wv-row" }, chooser("decode as", layouts, -1, value => this.decode(Number(value))), make("span", { class: "wv-stats" }, `layout: ${setup.source}`)),
      this.transport.element, this.live, make("div", { style: "overflow-x:auto" }, this.picture), make("div", { class: "wv-model" }, setup.model),
    )
    this.transport.seconds = Math.min(60, setup.weights.length / 2)
    this.transport.lay(setup.weights.length, setup.weights.map((_, at) => at))
    this.speak()
  }

  follow(weight) {
    if (this.chosen === weight && this.drawn) return
    this.chosen = weight
    this.draw()
    this.speak()
  }

  choose(weight) {
    if (weight === undefined) return
    this.transport.seek(weight)
  }

  decode(other) {
    this.other = other
    this.draw()
    this.speak()
  }

  draw() {
    this.drawn = true
    const { setup } = this
    const again = this.other >= 0 ? this.lines * 28 + 40 : 0
    this.picture.setAttribute("viewBox", `0 0 1220 ${this.tall + again}`)
    const fields = this.fieldsOf[this.chosen]
    const mates = new Set(fields.flatMap(at => setup.fields[at][4]))
    this.picture.replaceChildren(
      words(6, 20, `weights, ${counted(setup.outputs, "output")} of ${setup.K}`, { "font-weight": 600, "font-size": 15 }),
      ...setup.weights.flatMap((value, at) => this.weight(value, at, 0, { chosen: at === this.chosen, mate: mates.has(at), found: value })),
      words(6, this.below - 12, `bytes, ${said(setup.bytes.length)} of them${this.shown < setup.bytes.length ? "; behind them, unused, the rest of the tail" : ""}`, { "font-weight": 600, "font-size": 15 }),
      ...Array.from({ length: this.shown }, (_, at) => this.byte(at)).flat(),
      ...setup.fields.flatMap((field, at) => this.field(field, fields.includes(at))),
      ...fields.flatMap(at => this.thread(setup.fields[at])),
      ...(this.other >= 0 ? this.wrong() : []),
    )
    const output = Math.floor(this.chosen / setup.K)
    this.transport.place.textContent = `weight ${this.chosen % setup.K} of output ${output}`
  }

  spot(at) {
    const { perLine, K } = this.setup
    const within = at % perLine
    return { x: 6 + within * Math.min(37, 1200 / perLine) + Math.floor(within / K) * 8, y: 30 + Math.floor(at / perLine) * 28 }
  }

  weight(value, at, down, { chosen, mate, found }) {
    const { x, y } = this.spot(at)
    const wide = Math.min(37, 1200 / this.setup.perLine)
    const wrong = found !== value
    return [
      svg("rect", { x, y: y + down, width: wide - 2, height: 25, rx: 4, fill: wrong ? "#fdecee" : mate ? SHADES[0] : "#f4f5f7", stroke: chosen ? this.args.accent : wrong ? "#b3263c" : "#b9c0cc", "stroke-width": chosen ? 3 : 1, "stroke-dasharray": wrong ? "4 2" : "", style: "cursor:pointer", onpointerenter: () => !this.transport.playing && this.choose(at), onclick: () => this.choose(at) }),
      words(x + wide / 2 - 1, y + down + 18, number(found), { "text-decoration": wrong ? "line-through" : "none", "text-anchor": "middle", "font-weight": chosen ? 700 : 400, fill: wrong ? "#b3263c" : "#1b2230" }),
    ]
  }

  corner(byte) {
    return { x: 6 + (byte % BYTES) * 152, y: this.below + Math.floor(byte / BYTES) * 46 }
  }

  byte(at) {
    const { x, y } = this.corner(at)
    const tail = at >= this.setup.bytes.length - this.setup.tail
    const label = tail ? `scale ${at - (this.setup.bytes.length - this.setup.tail)}` : `${at}`
    return [
      words(x, y + 13, label, { fill: "#4a5364" }),
      words(x + 8 * BIT, y + 13, `0x${this.setup.bytes[at].toString(16).toUpperCase().padStart(2, "0")}`, { "text-anchor": "end", fill: "#4a5364", "font-family": "monospace" }),
      svg("rect", { x, y: y + 17, width: 8 * BIT, height: 22, fill: "#fff", stroke: "#8a93a3" }),
      ...Array.from({ length: 8 }, (_, bit) => words(x + (7.5 - bit) * BIT, y + 33, String((this.setup.bytes[at] >> bit) & 1), { "text-anchor": "middle", "font-family": "monospace", fill: tail ? "#8a93a3" : "#1b2230" })),
    ]
  }

  field([, byte, shift, width, owners, code], chosen) {
    const { x, y } = this.corner(byte)
    const bits = { x: x + (8 - shift - width) * BIT, y: y + 17, width: width * BIT, height: 22 }
    return [
      svg("rect", { ...bits, fill: chosen ? SHADES[0] : "transparent", stroke: chosen ? this.args.accent : "#8a93a3", "stroke-width": chosen ? 3 : 1, style: "cursor:pointer", onpointerenter: () => !this.transport.playing && this.choose(owners[0]), onclick: () => this.choose(owners[0]) }),
      ...(chosen ? Array.from({ length: width }, (_, at) => words(bits.x + (width - at - 0.5) * BIT, y + 33, String((code >> at) & 1), { "text-anchor": "middle", "font-family": "monospace", "font-weight": 700, fill: this.args.accent })) : []),
    ]
  }

  thread([, byte, shift, width]) {
    const from = this.spot(this.chosen)
    const to = this.corner(byte)
    const [x0, y0] = [from.x + 17, from.y + 25]
    const [x1, y1] = [to.x + (8 - shift - width / 2) * BIT, to.y + 17]
    return [svg("path", { d: `M${x0} ${y0} C${x0} ${(y0 + y1) / 2 + 20} ${x1} ${(y0 + y1) / 2 - 20} ${x1} ${y1}`, fill: "none", stroke: this.args.accent, "stroke-width": 2, "pointer-events": "none" })]
  }

  wrong() {
    const other = this.setup.others[this.other]
    return [
      words(6, this.tall + 16, other.says ? `${other.name} refuses these bytes: ${other.says}` : `the same bytes, read as ${other.name}`, { "font-weight": 600, "font-size": 15 }),
      ...(other.says ? [] : this.setup.weights.flatMap((value, at) => this.weight(value, at, this.tall - 4, { chosen: at === this.chosen, mate: false, found: other.weights[at] }))),
    ]
  }

  speak() {
    this.live.setAttribute("aria-live", this.transport.playing ? "off" : "polite")
    this.live.textContent = this.sentence()
  }

  sentence() {
    const { setup, chosen } = this
    const parts = this.fieldsOf[chosen].map(at => {
      const [part, byte, shift, width, owners, code] = setup.fields[at]
      const bits = width === 1 ? `bit ${shift}` : `bits ${shift + width - 1} to ${shift}`
      const shared = owners.length > 1 ? `, shared by ${owners.length} weights` : ""
      return `${part} ${code} in ${bits} of byte ${byte} (lane ${byte % 16} of register ${Math.floor(byte / 16)}${shared})`
    })
    const where = `Weight ${chosen % setup.K} of output ${Math.floor(chosen / setup.K)} is ${number(setup.weights[chosen])}: ${parts.join("; ")}.`
    const other = setup.others[this.other]
    if (!other || other.says) return where
    const wrong = setup.weights.filter((value, at) => value !== other.weights[at]).length
    return `${where} Read as ${other.name}, ${wrong} of ${setup.weights.length} weights are wrong (struck out).`
  }
}

// Called by Bokeh when the map has its size: the card of four letters, and the map of the chosen one.
export default async (args, figure, data, { index }) => {
  const root = stageOf(args, index)
  if (!root) return
  const setup = JSON.parse(args.setup)
  for (const program of setup.programs) {
    for (const map of Object.values(program.maps)) map.values = new Int32Array((await inflate(map.data)).buffer)
  }
  new Card(args, root, setup)
}

const WITHOUT_MAP = "There is no map of this letter."

class Card {
  constructor(args, root, setup) {
    Object.assign(this, { args, root, setup, palette: table(args.colours), cells: [] })
    this.live = make("p", { class: "wv-said", "aria-live": "polite" })
    this.pointed = make("p", { class: "wv-inspector" }, "Point at a core of the map to read its number.")
    args.map.on_event("mousemove", event => this.point(Math.floor(event.x), Math.floor(event.y)))
    const head = setup.programs.map(program =>
      make("th", { scope: "col" }, program.name, make("span", {}, `${program.mesh} cores, ${program.machine}${program.whatIf ? ", what if" : ""}`), verdictOf(program)),
    )
    const body = setup.programs[0].letters.map((letter, row) =>
      make("tr", {}, make("th", { scope: "row" }, `${letter.letter} · ${letter.name}`, make("span", {}, letter.what)), ...setup.programs.map((program, column) => make("td", {}, this.cell(program, row, column)))),
    )
    root.append(
      make("h2", {}, setup.title),
      make("table", { class: "wv-card", "aria-label": "budget: used against limit" }, make("thead", {}, make("tr", {}, make("th", {}, "limit of the chip"), ...head)), make("tbody", {}, ...body)),
      this.live,
      this.pointed,
      make("div", { class: "wv-model" }, setup.model),
    )
    root.addEventListener("keydown", event => this.key(event))
    const broken = this.cells.find(cell => !cell.letter.ok) || this.cells.find(cell => cell.letter.letter === "M") || this.cells[0]
    this.choose(broken)
  }

  cell(program, row, column) {
    const letter = program.letters[row]
    const box = make("button", { type: "button", class: "wv-cell", "aria-label": `${letter.letter} of ${program.name}: ${amount(letter)}, ${wordOf(letter)}`, onclick: () => this.choose(cell) },
      ...barOf(letter),
      make("span", { class: "wv-number" }, amount(letter)), " ",
      make("span", { class: !letter.ok ? "wv-breaks" : letter.limit === null ? "wv-quiet" : "wv-fits" }, wordOf(letter)),
      !letter.ok && letter.fix && this.setup.programs.length < 3 ? make("small", {}, letter.fix) : "",
    )
    const cell = { program, letter, row, column, box }
    this.cells.push(cell)
    return box
  }

  key(event) {
    const way = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] }[event.key]
    if (!way || !event.target.classList.contains("wv-cell")) return
    const next = this.cells.find(cell => cell.row === this.chosen.row + way[0] && cell.column === this.chosen.column + way[1])
    event.preventDefault()
    event.stopPropagation()
    if (!next) return
    next.box.focus()
    this.choose(next)
  }

  choose(cell) {
    this.chosen = cell
    for (const other of this.cells) other.box.setAttribute("aria-pressed", String(other === cell))
    const { letter, program } = cell
    const map = letter.letter === "P" ? this.drawChip(cell) : this.drawMap(cell)
    this.live.textContent = `${program.name}: ${ended(letter.sentence)} ${!letter.ok && letter.fix && !letter.sentence.includes(letter.fix) ? `A way out: ${ended(letter.fix)}` : ""} ${map}`
  }

  // Cores the program uses, in the outline of the chip.
  drawChip({ program }) {
    const [rows, columns] = program.mesh.split(/\D+/).map(Number)
    const chip = program.chip.length ? program.chip : [rows, columns]
    const [high, wide] = rows > chip[0] && rows <= chip[1] && columns <= chip[0] ? [chip[1], chip[0]] : chip
    this.frame(`Cores used by ${program.name}`, Math.max(rows, high), Math.max(columns, wide))
    const one = new Uint32Array([this.palette[90]])
    this.put("image", one, [1, 1], { dw: [columns], dh: [rows] })
    this.args.sources.chip.data = program.chip.length ? { xs: [[0, wide, wide, 0, 0]], ys: [[0, 0, high, high, 0]] } : { xs: [], ys: [] }
    this.mark(null)
    this.shades(0, null, "")
    return program.chip.length ? `The line is the chip, ${high} x ${wide} cores; the square is what the program uses.` : ""
  }

  drawMap({ program, letter }) {
    const map = program.maps[letter.letter]
    this.args.sources.chip.data = { xs: [], ys: [] }
    if (!map) {
      this.put("image", new Uint32Array(1), [1, 1], { dw: [1], dh: [1] })
      this.mark(null)
      this.shades(0, null, "")
      return WITHOUT_MAP
    }
    const { rows, columns, values, most } = map
    const top = Math.max(most, letter.limit || 0, 1)
    const over = letter.limit === null ? 0 : values.reduce((count, value) => count + (value > letter.limit), 0)
    this.frame(`${letter.letter}: ${letter.what} (${program.name})`, rows, columns)
    const pixels = (this.args.map.inner_width || 330) * (window.devicePixelRatio || 1)
    const cell = Math.max(1, Math.round(pixels / Math.max(rows, columns)))
    this.put("image", hatched(values, rows, columns, cell, this.palette, top, letter.limit), [rows * cell, columns * cell], { dw: [columns], dh: [rows] })
    this.mark(letter.core && !letter.ok ? letter.core : null, rows, columns)
    this.shades(top, letter.limit, letter.unit === "1" ? letter.what : letter.unit)
    if (letter.limit === null) return `The map goes up to ${said(most)}${letter.unit === "1" ? "" : ` ${letter.unit}`}.`
    return over ? `Hatched: ${counted(over, "core")} of ${said(rows * columns)} over the limit${letter.core ? "; the square is where it breaks first" : ""}.` : `No core of the map is over the limit.`
  }

  // The number of the core under the pointer.
  point(x, y) {
    const { program, letter } = this.chosen
    const map = program.maps[letter.letter]
    if (!map || x < 0 || y < 0 || x >= map.columns || y >= map.rows) return
    this.pointed.textContent = `Core (${y},${x}): ${amount({ ...letter, used: map.values[y * map.columns + x] })}.`
  }

  // A square of at least 18 pixels round a core, moved inside where the core is at the edge.
  mark(core, rows, columns) {
    const { map, sources } = this.args
    const cell = (map.inner_width || 330) / Math.max(rows, columns)
    const size = Math.max(18, cell)
    const [y, x] = (core || []).map((place, way) => {
      const [side, edge] = [[rows, columns][way], size / 2 / cell + (size > cell ? 4 / cell : 0)]
      return Math.max(Math.min(edge, side / 2), Math.min(side - Math.min(edge, side / 2), place + 0.5))
    })
    sources.first.data = core ? { x: [x], y: [y], size: [size] } : { x: [], y: [], size: [] }
  }

  frame(title, rows, columns) {
    const { map } = this.args
    const side = Math.max(rows, columns)
    map.title.text = title
    map.x_range.setv({ start: (columns - side) / 2, end: (columns + side) / 2 })
    map.y_range.setv({ start: (rows + side) / 2, end: (rows - side) / 2 })
  }

  put(name, pixels, shape, rest) {
    const source = this.args.sources[name]
    const held = source.data.image[0]
    const image = new held.constructor(shape[0] * shape[1], shape)
    image.set(pixels)
    source.data = { ...source.data, image: [image], ...rest }
  }

  // The colour bar, with a red dashed line at the limit.
  shades(top, limit, unit) {
    const { bar, ticks, sources } = this.args
    bar.visible = top > 0
    if (!top) return
    const scale = unit === "B" && top >= 10240 ? 1024 : 1
    bar.y_range.setv({ start: 0, end: top * 1.04 })
    this.put("shades", Uint32Array.from({ length: 256 }, (_, level) => this.palette[level]), [256, 1], { dh: [top] })
    const places = [0, top / 2, top].filter(place => limit === null || Math.abs(place - limit) > top / 12)
    if (limit !== null) places.push(limit)
    ticks.setv({ ticks: places })
    const axis = this.args.axis
    axis.major_label_overrides = new Map(places.map(place => [place, `${place === limit ? "limit " : ""}${said(place / scale)}`]))
    axis.axis_label = scale === 1024 ? "KiB" : unit
    sources.limit.data = limit === null ? { y: [], text: [] } : { y: [limit], text: ["limit"] }
  }
}

// One amount a core; cores over the limit are hatched in red.
function hatched(values, rows, columns, cell, palette, top, limit) {
  const [red, white] = [word("#b3263c"), word("#ffffff")]
  const width = columns * cell
  const image = new Uint32Array(rows * cell * width)
  const wide = Math.max(3, Math.round(cell / 3), Math.round(width / 90))
  for (let y = 0; y < rows * cell; y++) {
    for (let x = 0; x < width; x++) {
      const value = values[Math.floor(y / cell) * columns + Math.floor(x / cell)]
      const edge = cell > 7 && (x % cell === 0 || y % cell === 0)
      const over = limit !== null && value > limit
      image[y * width + x] = edge ? white : over && (x + y) % (2 * wide) < wide ? red : palette[Math.min(255, Math.round((value * 255) / top))]
    }
  }
  return image
}

function ended(words) {
  return /[.!?]$/.test(words) ? words : `${words}.`
}

function verdictOf(program) {
  const broken = program.letters.filter(letter => !letter.ok).map(letter => letter.letter)
  return make("span", { class: broken.length ? "wv-breaks" : "wv-fits" }, broken.length ? `✗ breaks ${broken.join(", ")}` : "✓ fits")
}

function wordOf(letter) {
  if (letter.ok) return letter.limit === null ? "no limit" : "✓ ok"
  const where = [letter.core && `core (${letter.core})`, letter.step >= 0 && `step ${letter.step}`].filter(Boolean)
  return `✗ breaks${where.length ? ` at ${where.join(", ")}` : ""}`
}

function amount({ used, limit, unit }) {
  const [one, words] = sized(used, unit)
  if (limit === null) return `${one}${words}`
  const [most, same] = sized(limit, unit)
  return words === same ? `${one} of ${most}${same}` : `${one}${words} of ${most}${same}`
}

// A number and its unit: bytes below 1 KiB as they are, as in the sentences below the card.
function sized(value, unit) {
  if (unit !== "B") return [said(value), unit === "1" ? "" : ` ${unit}`]
  const level = Math.max(0, Math.min(3, Math.floor(Math.log2(Math.max(value, 1)) / 10)))
  return [said(value / 1024 ** level), [" B", " KiB", " MiB", " GiB"][level]]
}

// A bar against its limit; logarithmic when one is more than twenty times the other.
function barOf({ used, limit }) {
  if (limit === null || limit <= 0) return []
  const log = used > 20 * limit || (used > 0 && used < limit / 20)
  const most = Math.max(used, limit) * (log ? 3 : 1.2)
  const share = value => (100 * (log ? Math.log1p(value) / Math.log1p(most) : value / most)).toFixed(2)
  const within = make("i", { style: `width:${share(Math.min(used, limit))}%` })
  const beyond = used > limit ? make("i", { class: "wv-beyond", style: `left:${share(limit)}%;width:${share(used) - share(limit)}%` }) : ""
  const bar = make("span", { class: "wv-bar", "aria-hidden": "true" }, within, beyond, make("b", { style: `left:${share(limit)}%`, title: "the limit" }))
  if (log) bar.append(make("small", {}, "log scale"))
  return [bar]
}

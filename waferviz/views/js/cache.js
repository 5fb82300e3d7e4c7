// Called by Bokeh when the first shelves have their size: caches that fill on one clock of tokens.
export default async (args, figure, data, { index }) => {
  const root = stageOf(args, index)
  if (!root) return
  const setup = JSON.parse(args.setup)
  for (const fill of setup.fills) {
    fill.landed = new Int32Array((await inflate(fill.landed)).buffer)
    fill.first = fill.start.reduce((sum, held) => sum + held, 0)
  }
  const head = stageOf(args, index, args.head)
  if (head) head.append(make("h2", {}, setup.title))
  const stage = new ShelfStage(args, root, setup)
  args.pictures.forEach((models, number) => models.figure.on_event("tap", event => stage.point(number, event)))
}

class ShelfStage {
  constructor(args, root, setup) {
    Object.assign(this, { args, root, setup, followed: null })
    this.still = matchMedia("(prefers-reduced-motion: reduce)").matches
    this.live = make("p", { class: "wv-said", "aria-live": "polite" })
    this.inspector = make("div", { class: "wv-inspector" }, setup.fills.some(fill => fill.books) ? "Click a book to follow its token." : "Click a row for its numbers.")
    this.transport = new Transport(root, "tokens inserted", time => this.at(time), () => this.say())
    this.bars = setup.fills.map(fill => make("div", {}, make("span", {}, ""), make("span", { class: "wv-bar" }, make("i", {}))))
    root.setAttribute("aria-label", `${setup.title}. Space plays, arrows step, home and end jump.`)
    root.append(
      this.transport.element,
      make("div", { class: "wv-captions", style: `grid-template-columns: repeat(${setup.fills.length}, minmax(0, 1fr))` }, ...this.bars),
      ageLegend(setup), this.live, this.inspector, make("div", { class: "wv-model" }, setup.model),
    )
    this.transport.seconds = Math.max(6, Math.min(30, setup.last * 0.7))
    this.transport.lay(setup.last, Array.from({ length: Math.min(setup.last, 5000) + 1 }, (_, at) => (setup.last <= 5000 ? at : Math.round((at * setup.last) / 5000))))
    this.say()
  }

  at(time) {
    this.setup.fills.forEach((fill, number) => {
      const whole = Math.min(fill.last, Math.floor(time + 1e-9))
      const part = Math.min(fill.last, time) - whole
      const before = countsAt(fill, whole)
      const over = fill.full >= 0 && time >= fill.last
      this.args.pictures[number].boards.data = boardsOf(fill, before, over, this.setup)
      this.args.pictures[number].books.data = fill.books ? this.books(fill, number, before, whole, part) : barsOf(fill, before, this.setup)
      this.args.pictures[number].figure.title.text = over ? `${fill.rule}: ✗ full after ${counted(fill.last, "token")}, row ${fill.full} has no room` : fill.rule
      this.bar(fill, this.bars[number], before, over)
    })
    this.args.cursor.location = time
    this.transport.place.textContent = `${said(Math.floor(time))} of ${said(this.setup.last)} tokens`
    this.transport.range.setAttribute("aria-valuetext", this.transport.place.textContent)
    if (this.followed) this.inspect()
    if (this.transport.playing) this.live.textContent = this.sentence()
  }

  bar(fill, element, before, over) {
    const [words, bar] = element.children
    const held = before.reduce((sum, one) => sum + one, 0)
    const room = fill.rows * fill.most
    const share = `${said(held)} of ${said(room)} places used, ${Math.round((100 * held) / room)} %`
    words.textContent = fill.capacity ? `${fill.rule}: ${share}${over && held < room ? ", and yet it is full" : ""}` : `${fill.rule}: ${counted(held, "token")}`
    bar.firstChild.style.width = `${(100 * held) / room}%`
    bar.firstChild.style.background = over ? this.setup.full : ""
  }

  // Every token as a book; those that move in the insertion under way are between their places.
  books(fill, number, before, whole, part) {
    const now = placesOf(before)
    const next = part > 0 ? placesOf(countsAt(fill, whole + 1)) : now
    const ease = this.still ? 0 : part < 0.5 ? 2 * part * part : 1 - 2 * (1 - part) * (1 - part)
    const data = { x: [], y: [], width: [], tall: [], colour: [], text: [], ink: [], edge: [], thick: [] }
    const pixels = (this.args.pictures[number].figure.inner_width || 500) / (fill.most + 0.8)
    next.forEach(([row, place], token) => {
      const [oldRow, oldPlace] = now[token] || [fill.rows + 0.1, place]
      const age = whole + fill.first - token
      const shade = Math.round((Math.max(0, age) * (this.setup.ages.length - 1)) / Math.max(1, fill.first + fill.last))
      const colour = token < fill.first ? this.setup.prompt : this.setup.ages[shade]
      const followed = this.followed && this.followed.number === number && this.followed.token === token
      data.x.push(oldPlace + (place - oldPlace) * ease)
      data.y.push(oldRow + (row - oldRow) * ease)
      data.width.push(0.84)
      data.tall.push(0.74)
      data.colour.push(colour)
      data.text.push(pixels >= 20 ? String(token) : "")
      data.ink.push(isDark(colour) ? "#ffffff" : "#1b2230")
      data.edge.push(followed ? this.setup.accent : "#ffffff")
      data.thick.push(followed ? 4 : 1)
    })
    return data
  }

  say() {
    this.live.textContent = this.sentence()
  }

  sentence() {
    const time = Math.floor(this.transport.time + 1e-9)
    return this.setup.fills.map(fill => {
      if (fill.full >= 0 && time >= fill.last) return `${fill.rule}: full after ${counted(fill.last, "token")}; row ${fill.full} has no room for another.`
      if (!time) return `${fill.rule}: ${fill.first ? `a prompt of ${counted(fill.first, "token")}` : "empty"}.`
      const links = fill.rows - 1 - fill.landed[Math.min(time, fill.last) - 1]
      const fullest = Math.max(...countsAt(fill, Math.min(time, fill.last)))
      const passed = fill.rule === "concat" ? "it stays on the last row" : links ? `${counted(links, "row")} ${links === 1 ? "hands" : "hand"} a token up` : "no row hands one up"
      const rounds = fill.rounds && fill.rounds[time - 1] > 1 ? `, in ${said(fill.rounds[time - 1])} steps one after the other, because rows were empty` : ""
      return `${fill.rule}, token ${said(fill.first + Math.min(time, fill.last) - 1)} arrives: ${passed}${rounds}; the fullest row holds ${said(fullest)}.`
    }).join(" ")
  }

  point(number, event) {
    const fill = this.setup.fills[number]
    const [place, row] = [Math.round(event.x), Math.round(event.y)]
    const counts = countsAt(fill, Math.min(fill.last, Math.floor(this.transport.time + 1e-9)))
    if (row < 0 || row >= fill.rows) return
    if (!fill.books) {
      this.inspector.textContent = `${fill.rule}, row ${said(row)}: ${counted(counts[row], "token")}${fill.capacity ? ` of ${said(fill.capacity)}` : ""}.`
      return
    }
    if (place < 0 || place >= counts[row]) return
    const token = counts.slice(0, row).reduce((sum, held) => sum + held, place)
    const same = this.followed && this.followed.number === number && this.followed.token === token
    this.followed = same ? null : { number, token }
    this.at(this.transport.time)
    if (same) this.inspector.textContent = "Click a book to follow its token."
  }

  inspect() {
    const { number, token } = this.followed
    const fill = this.setup.fills[number]
    const time = Math.min(fill.last, Math.floor(this.transport.time + 1e-9))
    const way = wayOf(fill, token)
    const past = way.filter(([when]) => when <= time)
    if (!past.length) {
      this.inspector.textContent = `${fill.rule}, token ${said(token)} has not arrived yet.`
      return
    }
    const [since, row] = past[past.length - 1]
    const arrival = token < fill.first ? "was there with the prompt" : `arrived at row ${fill.rows - 1}`
    const moves = past[0][1] - row + (token < fill.first ? 0 : fill.rows - 1 - past[0][1])
    const rest = way.length > past.length ? `it moves on when token ${said(fill.first + way[past.length][0] - 1)} arrives` : "it moves no more in this run"
    this.inspector.textContent = `${fill.rule}, token ${said(token)} ${arrival}, has moved up ${counted(moves, "row")} and is on row ${said(row)}${since ? ` since token ${said(fill.first + since - 1)}` : ""}; ${rest}.`
  }
}

// Tokens of each row after `inserted` insertions.
function countsAt(fill, inserted) {
  const counts = fill.start.slice()
  for (let token = 0; token < Math.min(inserted, fill.last); token++) counts[fill.landed[token]]++
  return counts
}

// Row and place of every token, oldest on top.
function placesOf(counts) {
  return counts.flatMap((held, row) => Array.from({ length: held }, (_, place) => [row, place]))
}

// Insertions at which a token changes its row: (insertion, row), the first when it is there.
function wayOf(fill, token) {
  const way = []
  const counts = fill.start.slice()
  for (let inserted = 0; inserted <= fill.last; inserted++) {
    if (inserted) counts[fill.landed[inserted - 1]]++
    if (token >= fill.first + inserted) continue
    let sum = 0
    const row = counts.findIndex(held => (sum += held) > token)
    if (!way.length || way[way.length - 1][1] !== row) way.push([inserted, row])
  }
  return way
}

function boardsOf(fill, counts, over, setup) {
  const full = row => fill.capacity && counts[row] >= fill.capacity
  return {
    x: counts.map(() => (fill.most - 1) / 2),
    y: counts.map((_, row) => row),
    width: counts.map(() => fill.most),
    tall: counts.map(() => (fill.rows > 60 ? 1 : 0.9)),
    colour: counts.map(() => setup.empty),
    line: counts.map((_, row) => (full(row) ? setup.full : over && row === fill.full ? setup.full : fill.rows > 60 ? setup.empty : "#ffffff")),
  }
}

// One bar a row where there are too many tokens for books.
function barsOf(fill, counts, setup) {
  return {
    x: counts.map(held => held / 2 - 0.5), y: counts.map((_, row) => row), width: counts.map(held => held), tall: counts.map(() => (fill.rows > 60 ? 1 : 0.74)), colour: counts.map(held => (fill.capacity && held >= fill.capacity ? setup.full : "#31688e")),
    text: counts.map(() => ""), ink: counts.map(() => ""), edge: counts.map(() => "rgba(0,0,0,0)"), thick: counts.map(() => 0),
  }
}

function isDark(colour) {
  const value = parseInt(colour.slice(1), 16)
  return 0.299 * (value >> 16) + 0.587 * ((value >> 8) & 255) + 0.114 * (value & 255) < 140
}

function ageLegend(setup) {
  const one = (colour, words) => make("span", {}, make("i", { style: `background:${colour}` }), words)
  const ages = setup.ages
  return make("div", { class: "wv-swatches" },
    ...(setup.fills.some(fill => fill.books) ? [one(ages[0], "newest token"), one(ages[Math.floor(ages.length / 2)], "older"), one(ages[ages.length - 1], "oldest")] : [one("#31688e", "tokens of a row")]),
    ...(setup.fills.some(fill => fill.first) && setup.fills.some(fill => fill.books) ? [one(setup.prompt, "prompt")] : []),
    one(setup.empty, "room"), make("span", {}, "dashed red line: capacity; red edge: no room left"),
  )
}

// Called by Bokeh when the first lanes have their size: the bars of the chosen schedule, and one playhead for all.
export default async (args, figure, data, { index }) => {
  const root = stageOf(args, index)
  if (!root) return
  const setup = JSON.parse(args.setup)
  for (const run of setup.runs) {
    if (run.cores) run.cores.times = new Int32Array((await inflate(run.cores.data)).buffer)
  }
  new TimelineStage(args, root, setup, stageOf(args, index, args.foot))
}

const SAID = { work: "compute", words: "words on links and ramps", way: "the way of the tiles", wait: "waiting" }

class TimelineStage {
  constructor(args, root, setup, foot) {
    Object.assign(this, { args, root, setup, line: 0, same: true })
    const has = Object.entries(setup.schedules).filter(([name]) => setup.runs.some(run => run.schedule === name))
    this.schedule = has[0][0]
    this.live = make("p", { class: "wv-said", "aria-live": "polite" })
    this.transport = new Transport(root, "cycle", time => this.at(time), () => this.say())
    this.rows = make("input", { type: "range", min: 0, max: 0, step: 1, value: 0, "aria-label": "row of cores in the space-time diagram", oninput: event => this.choose(Number(event.target.value)) })
    this.rowWords = make("output", {}, "")
    this.rowChoice = make("label", {}, "row ", this.rows, " ", this.rowWords)
    root.setAttribute("aria-label", `${setup.title}. Space plays, arrows step, home and end jump, brackets change the speed.`)
    root.append(
      this.transport.element,
      make("div", { class: "wv-row" },
        switched("schedule", has, this.schedule, value => this.lay(value)),
        has.length > 1 ? make("label", {}, make("input", { type: "checkbox", checked: "", "aria-label": "same scale for both schedules", onchange: event => ((this.same = event.target.checked), this.lay(this.schedule)) }), " same scale for both") : "",
        this.rowChoice,
      ),
      swatches(setup),
      this.live,
    )
    foot.append(shareTable(setup), make("div", { class: "wv-model" }, setup.model))
    this.lay(this.schedule)
    args.rows.forEach((models, number) => models.figure.properties.inner_height.change.connect(() => this.diagram(this.shown[number], models)))
  }

  // The run of each program under the schedule; null where it was not sent.
  get shown() {
    return this.setup.programs.map(name => this.setup.runs.find(run => run.program === name && run.schedule === this.schedule) || null)
  }

  lay(schedule) {
    this.schedule = schedule
    const { args, setup } = this
    const runs = this.shown
    const end = Math.max(1, ...runs.map(run => (run ? run.cycles : 0)))
    const scale = this.same ? Math.max(...setup.runs.map(run => run.cycles)) : end
    args.across.setv({ start: -scale / 200, end: scale * 1.01 })
    args.down.setv({ start: end, end: 0 })
    runs.forEach((run, number) => this.bars(run, args.lanes[number]))
    const known = runs.find(run => run && run.cores)
    this.kept = known ? known.cores.rows : [0]
    this.rows.max = this.kept.length - 1
    this.rowChoice.style.display = this.kept.length > 1 ? "" : "none"
    this.choose(Math.min(this.line, this.kept.length - 1))
    this.transport.lay(end, [0, ...(runs.find(Boolean) || { end: [] }).end])
    this.say()
  }

  bars(run, models) {
    models.bars.data = run ? run.bars : { left: [], right: [], bottom: [], top: [], colour: [] }
    models.path.data = run ? run.path : { x: [], y: [] }
    models.figure.title.text = run ? `${run.program}, ${this.setup.schedules[this.schedule]}: ${said(run.cycles)} cycles${run.share === null ? "" : `, ${said(100 * run.share)} % of them compute`}` : "not sent for this schedule"
  }

  choose(line) {
    this.line = line
    this.rows.value = line
    this.rowWords.textContent = `y = ${this.kept[line]}`
    this.shown.forEach((run, number) => this.diagram(run, this.args.rows[number]))
  }

  diagram(run, models) {
    models.figure.visible = Boolean(run)
    if (!run) return
    const times = timesOf(run, this.line)
    const end = this.transport && this.args.down.start
    const pixels = window.devicePixelRatio || 1
    const height = Math.round((models.figure.inner_height || 230) * pixels)
    const wide = Math.min(run.columns, Math.round((models.figure.inner_width || 300) * pixels))
    const held = models.image.data.image[0]
    const image = new held.constructor(height * wide, [height, wide])
    paintSpaceTime(image, times, run, [height, wide], end)
    models.image.data = { image: [image], dw: [run.columns], dh: [end] }
    models.figure.x_range.setv({ start: 0, end: run.columns })
    models.figure.title.text = `${run.program}: row ${this.kept[this.line]}, ${run.cores ? "each core by itself" : "all cores together"}`
  }

  at(time) {
    for (const models of [...this.args.lanes, ...this.args.rows]) models.cursor.location = time
    this.transport.place.textContent = `cycle ${said(Math.round(time))} of ${said(this.transport.end)}`
    this.transport.range.setAttribute("aria-valuetext", this.transport.place.textContent)
    if (!this.transport.playing) return
    this.live.textContent = this.sentence(time)
  }

  say() {
    this.live.textContent = this.sentence(this.transport.time)
  }

  sentence(time) {
    return this.shown.filter(Boolean).map(run => {
      if (time >= run.cycles) return `${run.program} is done after ${said(run.cycles)} cycles.`
      const step = run.end.findIndex(end => end > time)
      const name = run.labels[step] ? `, ${run.labels[step]}` : ""
      const waits = run.cores ? `; ${waiting(run, this.line, time)} of ${said(run.columns)} cores of row ${this.kept[this.line]} wait` : ""
      return `${run.program}, cycle ${said(Math.round(time))}: step ${step + 1} of ${run.end.length}${name}; the critical path runs through ${SAID[run.critical[step]] || run.critical[step]}${waits}.`
    }).join(" ")
  }
}

// Times of one row: ready and done of (step, x); of a barrier, all cores alike.
function timesOf(run, line) {
  const size = run.end.length * run.columns
  if (run.cores) {
    const number = run.cores.rows.length
    const at = Math.min(line, number - 1)
    const ready = run.cores.times.subarray(at * size, (at + 1) * size)
    const ended = run.cores.times.subarray((number + at) * size, (number + at + 1) * size)
    return { ready, done: run.work ? ended.map((end, place) => Math.min(end, ready[place] + run.work[Math.floor(place / run.columns)])) : ended, ended }
  }
  const spread = times => Int32Array.from({ length: size }, (_, at) => times[Math.floor(at / run.columns)])
  return { ready: spread(run.start), done: spread(run.work_end.map((end, step) => Math.max(end, run.start[step]))), ended: spread(run.end) }
}

function waiting(run, line, time) {
  const { ready, done } = timesOf(run, line)
  let waits = 0
  for (let x = 0; x < run.columns; x++) {
    let busy = false
    for (let step = 0; step < run.end.length && !busy; step++) busy = ready[step * run.columns + x] <= time && time < done[step * run.columns + x]
    waits += !busy
  }
  return waits
}

// A column per core: its steps in turns of two shades, pale while it waits for tiles, red where it waits longer than most
// cores of the row. A pixel is the mean of what it covers, so that fine steps keep their tone.
function paintSpaceTime(image, { ready, done, ended }, run, [height, wide], end) {
  const [busy, pale, late] = [["#31688e", "#5b93b8"], ["#d5dce6", "#eef1f5"], ["#d1495b", "#e08a96"]].map(colours => colours.map(inked))
  const { columns } = run
  const ink = { sums: new Float32Array(3 * height * wide), height, wide }
  const bins = Array.from({ length: columns }, (_, x) => Math.floor((x * wide) / columns))
  const shares = bins.reduce((counts, bin) => (counts[bin]++, counts), new Float32Array(wide)).map(count => 1 / count)
  const steps = run.end.length
  for (let step = 0; step < steps; step++) {
    const until = x => (step + 1 < steps ? ready[(step + 1) * columns + x] : ended[step * columns + x])
    const waits = Array.from({ length: columns }, (_, x) => Math.max(0, until(x) - done[step * columns + x]))
    const usual = median(waits)
    for (let x = 0; x < columns; x++) {
      const at = step * columns + x
      const share = shares[bins[x]]
      const middle = Math.max(ready[at], Math.min(done[at], until(x)))
      stripe(ink, bins[x], share, (ready[at] * height) / end, (middle * height) / end, busy[step % 2])
      stripe(ink, bins[x], share, (middle * height) / end, (until(x) * height) / end, (waits[x] > usual * 1.5 + 1 ? late : pale)[step % 2])
    }
  }
  for (let at = 0; at < image.length; at++) {
    const [red, green, blue] = [0, 1, 2].map(channel => Math.max(0, Math.round(255 - ink.sums[3 * at + channel])))
    image[at] = (0xff000000 | (blue << 16) | (green << 8) | red) >>> 0
  }
}

// What a colour takes from white paper: red, green, blue.
function inked(colour) {
  return [1, 3, 5].map(at => 255 - parseInt(colour.slice(at, at + 2), 16))
}

function stripe({ sums, height, wide }, bin, share, from, to, ink) {
  const last = Math.min(height, Math.ceil(to))
  for (let row = Math.max(0, Math.floor(from)); row < last; row++) {
    const part = share * Math.max(0, Math.min(to, row + 1) - Math.max(from, row))
    for (let channel = 0; channel < 3; channel++) sums[3 * (row * wide + bin) + channel] += part * ink[channel]
  }
}

function median(numbers) {
  return [...numbers].sort((one, two) => one - two)[numbers.length >> 1] || 0
}

function swatches({ shades }) {
  const one = (colour, words) => make("span", {}, make("i", { style: `background:${colour}` }), words)
  return make("div", { class: "wv-swatches" },
    one(shades.work[0], "compute (upper lane)"), one(shades.move[0], "communication (lower lane)"), one("#d1495b", "line: critical path"),
    one("#1b2230", "playhead"), one("#d5dce6", "below: a core waits for tiles"), one("#d1495b", "below: longer than most of the row"),
  )
}

// Cycles and the share of compute of every program under every schedule, and what the critical path is made of.
function shareTable({ programs, schedules, runs }) {
  const names = Object.keys(schedules).filter(name => runs.some(run => run.schedule === name))
  const rows = programs.map(program => {
    const cells = names.map(name => {
      const run = runs.find(one => one.program === program && one.schedule === name)
      return make("td", {}, ...(run ? [make("b", {}, `${said(run.cycles)} cycles`), `, ${run.share === null ? "" : `${said(100 * run.share)} % compute; `}${madeOf(run)}`] : ["not sent"]))
    })
    return make("tr", {}, make("th", { scope: "row" }, program), ...cells)
  })
  const head = make("tr", {}, make("th", { scope: "col" }, "program"), ...names.map(name => make("th", { scope: "col" }, schedules[name])))
  return make("table", { class: "wv-shares", "aria-label": "cycles and what they are made of" }, make("thead", {}, head), make("tbody", {}, ...rows))
}

function madeOf(run) {
  const parts = {}
  let before = 0
  run.critical.forEach((kind, step) => {
    const end = Math.max(before, run.end[step])
    parts[kind] = (parts[kind] || 0) + end - before
    before = end
  })
  return Object.entries(parts).filter(([, cycles]) => cycles > 0).map(([kind, cycles]) => `${said(cycles)} for ${SAID[kind] || kind}`).join(", ")
}

// Called by Bokeh when the mesh has its size: one frame of links per window, a link chosen by pointer or list.
export default (args, figure, data, { index }) => {
  const root = stageOf(args, index)
  if (root) new LinkStage(args, root, JSON.parse(args.setup))
}

class LinkStage {
  constructor(args, root, setup) {
    Object.assign(this, { args, root, setup, frame: 0, chosen: -1 })
    this.live = make("p", { class: "wv-said", "aria-live": "polite" })
    this.told = make("p", { class: "wv-inspector", "aria-live": "polite" }, "Click a link to see who is behind it.")
    this.transport = new Transport(root, "frame of the run", time => this.at(time), () => this.say())
    root.setAttribute("aria-label", `${setup.title}. Space plays, arrows step through frames, brackets change the speed.`)
    const frames = setup.windows.length
    root.append(make("h2", {}, setup.title), frames > 1 ? this.transport.element : "", this.legend(), this.live, make("div", { class: "wv-row" }, this.busiest()), this.told, make("div", { class: "wv-model" }, setup.model))
    args.picture.on_event("tap", event => this.tap(event.x, event.y))
    this.transport.lay(frames - 1 || 1, setup.windows.map((_, frame) => frame))
    this.at(0)
    this.say()
  }

  legend() {
    const shade = (share, words) => make("span", {}, make("i", { style: `background:${this.colour(share)}` }), words)
    const over = make("span", {}, make("i", { style: "background:repeating-linear-gradient(45deg,#b3263c 0 3px,#fff 3px 5px)" }), "hatched: more than 100 %, with the words that wait")
    return make("div", { class: "wv-swatches" }, make("span", {}, "demand on a link: "), shade(0, "none"), shade(20, "20 %"), shade(60, "60 %"), shade(100, "100 %"), over)
  }

  // The links that are asked for most, as a list to choose from by keyboard.
  busiest() {
    const { links, demand } = this.setup
    const most = links.map((_, link) => Math.max(...demand.map(frame => frame[link])))
    const order = links.map((_, link) => link).sort((one, two) => most[two] - most[one]).slice(0, 12).filter(link => most[link] > 0)
    return chooser("busiest links", [["-1", "choose …"], ...order.map(link => [String(link), `${this.name(link)}, up to ${said(most[link])} %`])], "-1", value => this.choose(Number(value)))
  }

  name(link) {
    const [direction, y, x] = this.setup.links[link]
    return `${direction} of core (${y},${x})`
  }

  colour(demand) {
    if (!demand) return "#e6e9ee"
    return demand > 100 ? "#b3263c" : this.args.palette[Math.max(1, Math.min(255, Math.round(demand * 2.55)))]
  }

  at(time) {
    this.frame = Math.min(this.setup.windows.length - 1, Math.round(time))
    this.draw()
    const { windows } = this.setup
    this.transport.place.textContent = `cycles ${said(this.frame ? windows[this.frame - 1] : 0)} to ${said(windows[this.frame])}`
    this.transport.range.setAttribute("aria-valuetext", this.transport.place.textContent)
  }

  // Two lanes between neighbours: traffic keeps to the right.
  draw() {
    const { setup, frame } = this
    const bars = { x: [], y: [], width: [], height: [], colour: [], hatch: [] }
    const counts = { x: [], y: [], text: [] }
    const room = Math.min((this.args.picture.inner_width || 400) / setup.columns, (this.args.picture.inner_height || 300) / setup.rows) >= 34
    setup.links.forEach(([direction, y, x], link) => {
      const [across, down] = setup.steps[direction]
      const demand = setup.demand[frame][link]
      const [centreX, centreY] = [x + across / 2 - down * 0.13, y + down / 2 + across * 0.13]
      const thick = demand ? 0.09 + 0.15 * Math.min(1, demand / 100) : 0.05
      bars.x.push(centreX)
      bars.y.push(centreY)
      bars.width.push(across ? 0.5 : thick)
      bars.height.push(across ? thick : 0.5)
      bars.colour.push(this.colour(demand))
      bars.hatch.push(demand > 100 ? "/" : " ")
      const waits = setup.waiting[frame][link]
      if (!waits || !room) return
      counts.x.push(centreX)
      counts.y.push(centreY)
      counts.text.push(said(waits))
    })
    this.args.bars.data = bars
    this.args.counts.data = counts
    this.pick()
    if (this.transport.playing) this.live.textContent = this.sentence()
  }

  // The outline of the chosen link.
  pick() {
    const { bars, picked } = this.args
    const one = column => (this.chosen < 0 ? [] : [column[this.chosen] + 0.06 * (column === bars.data.width || column === bars.data.height)])
    picked.data = Object.fromEntries(["x", "y", "width", "height"].map(name => [name, one(bars.data[name])]))
  }

  say() {
    this.live.textContent = this.sentence()
    if (this.chosen >= 0) this.choose(this.chosen)
  }

  sentence() {
    const { setup, frame } = this
    const demand = setup.demand[frame]
    const busiest = demand.indexOf(Math.max(...demand))
    const words = setup.words[frame].reduce((one, two) => one + two, 0)
    const waits = setup.waiting[frame].reduce((one, two) => one + two, 0)
    const full = demand.filter(one => one > 100).length
    return `Cycles ${said(frame ? setup.windows[frame - 1] : 0)} to ${said(setup.windows[frame])}: ${said(words)} words cross links, ${said(waits)} wait; busiest link ${this.name(busiest)}: demand ${said(demand[busiest])} %, use ${said(setup.use[frame][busiest])} %; ${counted(full, "link")} asked for more than 100 %.`
  }

  tap(x, y) {
    const { setup } = this
    const away = setup.links.map(([direction, row, column]) => {
      const [across, down] = setup.steps[direction]
      return Math.hypot(x - (column + across / 2 - down * 0.13), y - (row + down / 2 + across * 0.13))
    })
    const near = away.indexOf(Math.min(...away))
    if (away[near] < 0.35) this.choose(near)
  }

  // The deliveries whose way crosses a link: drawn as lines, told in words.
  choose(link) {
    this.chosen = link
    this.pick()
    const ways = { xs: [], ys: [] }
    if (link < 0) {
      this.args.ways.data = ways
      this.told.textContent = ""
      return
    }
    const { setup, frame } = this
    const behind = this.behind(link)
    for (const { fromY, fromX, toY, toX } of behind.slice(0, 200)) {
      ways.xs.push([fromX, toX, toX])
      ways.ys.push([fromY, fromY, toY])
    }
    this.args.ways.data = ways
    const who = behind.slice(0, 4).map(({ fromY, fromX, toY, toX }) => `(${fromY},${fromX}) to (${toY},${toX})`)
    this.told.textContent = `Link ${this.name(link)}: ${said(setup.words[frame][link])} words crossed, ${said(setup.waiting[frame][link])} wait; demand ${said(setup.demand[frame][link])} %, use ${said(setup.use[frame][link])} %. Behind it: ${counted(behind.length, "delivery", "deliveries")}${who.length ? `, ${who.join(", ")}${behind.length > 4 ? " and more" : ""}` : ""}.`
  }

  behind(link) {
    const { columns, pairs } = this.setup
    const [direction, y, x] = this.setup.links[link]
    const [across, down] = this.setup.steps[direction]
    const between = (from, to, at, way) => (to - from) * way > 0 && (at - from) * way >= 0 && (to - at) * way > 0
    return pairs[0]
      .map((source, number) => ({ fromY: Math.floor(source / columns), fromX: source % columns, toY: Math.floor(pairs[1][number] / columns), toX: pairs[1][number] % columns }))
      .filter(({ fromY, fromX, toY, toX }) => (across ? y === fromY && between(fromX, toX, x, across) : x === toX && between(fromY, toY, y, down)))
  }
}

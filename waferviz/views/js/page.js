// The stage of a picture: made once in the shadow root of its Spacer; null when it is there already.
function stageOf(args, index, host = args.host) {
  const view = index.find_one(host)
  if (!view || view.shadow_el.querySelector(".wv-stage")) return null
  const root = make("div", { class: "wv-stage" })
  view.shadow_el.append(make("style", {}, args.style), root)
  view.el.style.height = "auto"
  view.el.style.display = "block"
  if (host !== args.host) return root
  grow(args.taller || [], args.larger || [])
  ;(args.pictured || []).forEach(figure => pictured(figure, index))
  if (host.document.roots().some(one => one.tags.includes("alone on its page"))) hear(root)
  return root
}

// Figures take the height that a window has beyond 720 pixels.
function grow(taller, larger) {
  const more = Math.max(0, Math.min(400, window.innerHeight - 720))
  if (!more) return
  taller.forEach(figure => figure.setv({ height: figure.height + more }))
  larger.forEach(figure => figure.setv({ height: figure.height + more, width: Math.round((figure.width * (figure.height + more)) / figure.height) }))
}

// A page of its own hears keys before anything has the focus.
function hear(root) {
  document.addEventListener("keydown", event => {
    if (event.target === document.body && !root.dispatchEvent(new KeyboardEvent("keydown", event))) event.preventDefault()
  })
}

// A figure is a picture to screen readers, named by its title; the stage says it in words.
function pictured(figure, index) {
  const view = index.find_one(figure)
  if (!view) return
  const name = () => view.el.setAttribute("aria-label", `picture: ${(figure.title && figure.title.text.trim()) || "see the words below"}`)
  view.el.setAttribute("role", "img")
  name()
  if (figure.title) figure.title.change.connect(name)
}

function counted(number, one, many = `${one}s`) {
  return `${said(number)} ${number === 1 ? one : many}`
}

// Numbers for people: thousands apart, three digits where there is a fraction.
function said(number) {
  if (Number.isInteger(number)) return number.toLocaleString("en")
  return Math.abs(number) >= 1000 ? Math.round(number).toLocaleString("en") : String(Number(number.toPrecision(3)))
}

// A place in a run: play, pause, step, scrub and keys; `draw(time)` shows it, `stops` are the moments that arrows go to.
class Transport {
  constructor(root, name, draw, settle) {
    Object.assign(this, { root, draw, settle, time: 0, end: 1, stops: [0, 1], playing: false, seconds: 8 })
    this.play = button("play", "▶", () => this.toggle())
    this.range = make("input", { type: "range", min: 0, max: 1, step: 1, value: 0, "aria-label": name, oninput: event => this.seek(Number(event.target.value), true), onchange: () => this.settle() })
    this.place = make("output", { class: "wv-place" }, "")
    this.element = make("div", { class: "wv-transport", role: "group", "aria-label": "playback" },
      button("to start", "⇤", () => this.seek(0)),
      button("step back", "←", () => this.step(-1)),
      this.play,
      button("step forward", "→", () => this.step(1)),
      button("to end", "⇥", () => this.seek(this.end)),
      make("div", { class: "wv-scrub" }, this.range),
      this.place,
    )
    root.tabIndex = 0
    root.setAttribute("role", "region")
    root.addEventListener("keydown", event => this.key(event))
  }

  // Another run on the same stage, at the same share of its length.
  lay(end, stops) {
    const share = this.time / this.end
    Object.assign(this, { end: Math.max(1, end), stops })
    this.range.max = this.end
    this.seek(share * this.end)
  }

  key(event) {
    if (event.target.tagName === "SELECT" || event.ctrlKey || event.metaKey || event.altKey) return
    if (event.target.type === "radio" || (event.target.type === "range" && event.target !== this.range)) return
    const press = {
      " ": () => event.target.tagName !== "BUTTON" && (this.toggle(), true),
      ArrowRight: () => (this.step(1), true),
      ArrowLeft: () => (this.step(-1), true),
      Home: () => (this.seek(0), true),
      End: () => (this.seek(this.end), true),
      "[": () => ((this.seconds = Math.min(64, this.seconds * 2)), true),
      "]": () => ((this.seconds = Math.max(1, this.seconds / 2)), true),
    }[event.key]
    if (!press || !press()) return
    event.preventDefault()
    event.stopPropagation()
  }

  toggle() {
    this.playing = !this.playing
    this.face()
    if (!this.playing) return this.settle()
    if (this.time >= this.end) this.time = 0
    this.last = performance.now()
    requestAnimationFrame(now => this.frame(now))
  }

  face() {
    this.play.textContent = this.playing ? "❚❚" : "▶"
    this.play.title = this.playing ? "pause" : "play"
    this.play.setAttribute("aria-label", this.play.title)
  }

  frame(now) {
    if (!this.playing || !this.root.isConnected) return
    this.time = Math.min(this.end, this.time + (Math.max(0, now - this.last) / 1000) * (this.end / this.seconds))
    this.last = now
    this.show()
    if (this.time >= this.end) return this.toggle()
    requestAnimationFrame(later => this.frame(later))
  }

  step(way) {
    const next = way > 0 ? this.stops.find(stop => stop > this.time + 1e-9) : this.stops.findLast(stop => stop < this.time - 1e-9)
    this.seek(next === undefined ? (way > 0 ? this.end : 0) : next)
  }

  seek(time, scrubbing = false) {
    if (this.playing) this.toggle()
    this.time = Math.max(0, Math.min(this.end, time))
    this.show()
    if (!scrubbing) this.settle()
  }

  show() {
    this.range.value = this.time
    this.draw(this.time)
    this.range.setAttribute("aria-valuetext", this.place.textContent)
  }
}

// One of a few: radio buttons with names.
function switched(name, options, chosen, change) {
  const group = `wv-${name.replace(/\W+/g, "-")}-${Math.random().toString(36).slice(2)}`
  const boxes = options.map(([value, words]) =>
    make("label", {}, make("input", { type: "radio", name: group, value, "aria-label": `${name}: ${words}`, ...(value === chosen ? { checked: "" } : {}), onchange: () => change(value) }), ` ${words}`),
  )
  return make("fieldset", { class: "wv-switch" }, make("legend", {}, name), ...boxes)
}

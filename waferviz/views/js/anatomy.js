// Called by Bokeh when the bars have their size: a slider for the tokens, stacked memory, a table of the parts.
export default (args, figure, data, { index }) => {
  const root = stageOf(args, index)
  if (!root) return
  const setup = JSON.parse(args.setup)
  const live = make("p", { class: "wv-said", "aria-live": "polite" })
  const number = make("output", {})
  const slider = make("input", { type: "range", min: 5, max: 15, step: 1, value: 9, "aria-label": "tokens", oninput: () => draw() })
  slider.addEventListener("keydown", event => event.stopPropagation())
  const body = make("tbody", { style: "white-space: nowrap" })
  const swatches = make("div", { class: "wv-swatches" }, ...setup.kinds.map((name, at) => make("span", {}, make("i", { style: `background:${args.shades[at]}` }), name)))
  const head = ["part", "weights", "activations", "bytes", "energy of the arithmetic"].map(words => make("th", { scope: "col" }, words))
  root.append(
    make("h2", {}, setup.title), make("div", { class: "wv-row" }, make("label", {}, "tokens ", slider, " ", number), swatches), live,
  )
  stageOf(args, index, args.foot).append(
    make("table", { class: "wv-shares", "aria-label": "parts of the model", style: "width:100%" }, make("thead", {}, make("tr", {}, ...head)), body),
    make("div", { class: "wv-model" }, setup.model),
  )

  const kind = part => (part.low ? 0 : part.per_token ? 2 : 1)
  const bytes = (part, tokens, wide) => (wide ? part.bits_wide : part.fixed) + part.per_token * tokens
  const joules = (part, tokens) => part.linear * tokens + part.quadratic * tokens * tokens
  const gigabytes = value => (value >= 1e8 ? `${said(Number((value / 1e9).toPrecision(3)))} GB` : value ? `${said(Number((value / 1e6).toPrecision(3)))} MB` : "none")
  const sum = (parts, of) => parts.reduce((total, part) => total + of(part), 0)

  function stacked(tokens) {
    const rows = { row: [], left: [], right: [], colour: [], words: [], middle: [] }
    for (const [row, wide] of [["all in 16 bits", true], ["as stored", false]]) {
      let left = 0
      setup.kinds.forEach((_, at) => {
        const size = sum(setup.parts.filter(part => kind(part) === at), part => bytes(part, tokens, wide)) / 1e9
        if (!size) return
        rows.row.push(row)
        rows.left.push(left)
        rows.right.push(left + size)
        rows.middle.push(left + size / 2)
        rows.colour.push(args.shades[at])
        rows.words.push(size > 0.1 ? size.toFixed(2) : "")
        left += size
      })
      if (wide) args.across.setv({ start: 0, end: left * 1.02 })
    }
    return rows
  }

  function bar(value, most, colour) {
    return make("span", { class: "wv-bar", style: "width: 180px; display: inline-block; margin: 0 8px 0 0; vertical-align: -3px" }, make("i", { style: `width:${most ? (100 * value) / most : 0}%; background:${colour}` }))
  }

  function draw() {
    const tokens = 2 ** Number(slider.value)
    number.textContent = said(tokens)
    slider.setAttribute("aria-valuetext", counted(tokens, "token"))
    args.bars.data = stacked(tokens)
    const most = { bytes: Math.max(...setup.parts.map(part => bytes(part, tokens))), joules: Math.max(...setup.parts.map(part => joules(part, tokens))) }
    body.replaceChildren(...setup.parts.map(part => {
      const colour = args.shades[kind(part)]
      const energy = joules(part, tokens)
      const size = bytes(part, tokens)
      return make("tr", {},
        make("th", { scope: "row", title: part.note }, make("b", {}, part.low ? "◆ " : ""), part.name),
        make("td", {}, part.weight_bits === null ? "–" : make("b", {}, `${part.weight_bits} bits`)),
        make("td", {}, `${part.activation_bits} bits`),
        make("td", {}, bar(size, most.bytes, colour), gigabytes(size)),
        make("td", {}, energy ? bar(energy, most.joules, colour) : "", energy ? `${said(Number((energy * 1000).toPrecision(3)))} mJ` : "not counted"),
      )
    }))
    const whole = sum(setup.parts, part => bytes(part, tokens))
    const wide = sum(setup.parts, part => bytes(part, tokens, true))
    const all = sum(setup.parts, part => joules(part, tokens))
    const low = sum(setup.parts.filter(part => part.low), part => joules(part, tokens))
    figure.title.text = `${(wide / 1e9).toFixed(2)} GB become ${(whole / 1e9).toFixed(2)} GB: ${(wide / whole).toFixed(1)} times smaller, not 8`
    live.textContent = `With ${counted(tokens, "token")} the ternary layers (◆) take ${Math.round((100 * sum(setup.parts.filter(part => part.low), part => bytes(part, tokens))) / whole)} % of the memory and ${Math.round((100 * low) / all)} % of the arithmetic energy; attention has no weights to make small.`
  }
  draw()
}

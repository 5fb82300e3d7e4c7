// Called by Bokeh when the first figure has its size: sliders for the cells, lines, crossovers and what is published.
export default (args, figure, data, { index }) => {
  const root = stageOf(args, index)
  if (!root) return
  const setup = JSON.parse(args.setup)
  const cells = { ...setup.cells }
  const live = make("p", { class: "wv-said", "aria-live": "polite" })
  const table = make("table", { class: "wv-shares", "aria-label": "the model beside what is published" })
  const names = { mux: "multiplexer", flop: "flip-flop", xor: "exclusive or" }
  const sliders = Object.entries(setup.cells).map(([cell, nominal]) => {
    const number = make("output", {})
    const tell = () => {
      number.textContent = `${cells[cell].toFixed(2)} µm²`
      input.setAttribute("aria-valuetext", `${number.textContent}${cells[cell] === nominal ? ", nominal" : ""}`)
    }
    const input = make("input", { type: "range", min: 0.5, max: 10, step: 0.05, value: nominal, "aria-label": `${names[cell]} of one bit, µm²`, oninput: () => {
      cells[cell] = Number(input.value)
      tell()
      draw()
    } })
    input.addEventListener("keydown", event => event.stopPropagation())
    tell()
    return make("label", {}, `${names[cell]} (unverified) `, input, " ", number)
  })
  root.append(make("h2", {}, setup.title), make("div", { class: "wv-row" }, ...sliders), live)
  stageOf(args, index, args.foot).append(table, make("div", { class: "wv-model" }, setup.model))

  const area = ([base, mux, flop, xor]) => base + mux * cells.mux + flop * cells.flop + xor * cells.xor

  function draw() {
    const designs = setup.byBits.map(lines => lines.map(area))
    const groups = setup.byGroup.map(lines => lines.map(area))
    designs.forEach((y, at) => (args.by_bits[at].data = { x: setup.bits, y }))
    groups.forEach((y, at) => (args.by_group[at].data = { x: setup.group, y }))
    const crossings = designs.map(y => y.filter((one, at) => one < designs[0][at]).length)
    const best = groups.map(y => setup.group[y.indexOf(Math.min(...y))])
    args.best.data = { x: best, y: groups.map(y => Math.min(...y)) }
    args.left.title.text = `Lookup is smaller than multiply-add up to ${counted(crossings.at(-1), "bit")}`
    args.right.title.text = `Best tables: ${best.map((group, at) => `${group} for ${setup.acts[at]}`).join(", ")} (stars)`
    const four = setup.group.indexOf(4)
    const density = groups.map(y => designs[0][0] / 4 / y[four])
    const rows = [
      ...setup.designs.map((name, at) => at && [`${name} below multiply-add`, `up to ${counted(crossings[at], "bit")}`, `up to ${counted(setup.publishedBits[at], "bit")}`, crossings[at] === setup.publishedBits[at]]).filter(Boolean),
      ...best.map((group, at) => [`best table, ${setup.acts[at]}`, String(group), String(setup.publishedGroup[at]), group === setup.publishedGroup[at]]),
      ...density.map((ratio, at) => [`one-bit lookups in the area of a multiply-add, ${setup.acts[at]} tables`, said(Number(ratio.toPrecision(3))), String(setup.density), Math.abs(ratio / setup.density - 1) < 0.05]),
    ]
    table.replaceChildren(
      make("tr", {}, ...["", "this model", "published", ""].map(words => make("th", { scope: "col" }, words))),
      ...rows.map(([what, ours, theirs, ok]) => make("tr", {}, make("th", { scope: "row" }, what), make("td", {}, make("b", {}, ours)), make("td", {}, theirs), make("td", { class: ok ? "wv-fits" : "wv-breaks" }, ok ? "✓ reproduced" : "✗ not reproduced"))),
    )
    const right = rows.filter(one => one[3]).length
    const between = density[0] < setup.density && setup.density < density[1]
    live.textContent = `With these cells ${right} of ${rows.length} published numbers come out.${between ? ` The density of ${setup.density} lies between the two that the model gives: with 16-bit tables it thinks lookups larger than they were built, with 8-bit tables smaller.` : ""}`
  }
  draw()
}

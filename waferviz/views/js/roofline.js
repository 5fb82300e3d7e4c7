// Called by Bokeh when the figure has its size: a row per program, and the mark of the chosen one pointed out.
export default (args, figure, data, { index }) => {
  const root = stageOf(args, index)
  if (!root) return
  const { title, marks, model, lines } = JSON.parse(args.setup)
  const live = make("p", { class: "wv-said", "aria-live": "polite" })
  const sentence = mark =>
    `${mark.name} does ${said(mark.rate)} TFLOP/s with ${said(mark.intensity)} FLOP per byte: ${said(100 * mark.share)} % of its lowest roof, which is the ${mark.bound} roof, ${said(mark.rate / mark.share)} TFLOP/s.`
  const choose = chosen => {
    buttons.forEach((one, number) => one.setAttribute("aria-pressed", String(number === chosen)))
    const mark = marks[chosen]
    args.marks.data = { ...args.marks.data, size: marks.map((_, number) => (number === chosen ? 19 : 13)) }
    args.drop.data = { x: [mark.intensity, mark.intensity], y: [mark.rate, mark.rate / mark.share] }
    live.textContent = sentence(mark)
  }
  const shapes = ["●", "■", "▲", "◆"]
  const buttons = marks.map((mark, number) => make("button", { type: "button", class: "wv-pick", "aria-label": `point out ${mark.name}`, onclick: () => choose(number) }, `${shapes[number % 4]} ${mark.name}`))
  const rows = marks.map((mark, number) =>
    make("tr", {}, make("td", {}, buttons[number]), make("td", {}, make("b", {}, `${said(mark.rate)} TFLOP/s`)), make("td", {}, `${said(mark.intensity)} FLOP/B`), make("td", {}, `${said(100 * mark.share)} % of the ${mark.bound} roof`)),
  )
  root.append(
    make("h2", {}, title),
    roofLegend(lines),
    live,
    make("table", { class: "wv-shares", "aria-label": "programs and their lowest roof" }, make("tbody", {}, ...rows)),
    make("div", { class: "wv-model" }, model),
  )
  choose(0)
}

// What each kind of line says.
function roofLegend(lines) {
  const css = { solid: "solid", dashed: "dashed", dotted: "dotted", dotdash: "dashed" }
  const words = { memory: "what the memory can feed", compute: "what the cores can compute", words: "what links and ramps can carry", distance: "what the way allows, by program", reference: "other processors" }
  const one = ([kind, [colour, dash]]) => make("span", {}, make("i", { style: `width:34px;height:0;border:0;border-top:3px ${css[dash]} ${colour};vertical-align:4px` }), `${kind}: ${words[kind]}`)
  return make("div", { class: "wv-swatches" }, ...Object.entries(lines).map(one))
}

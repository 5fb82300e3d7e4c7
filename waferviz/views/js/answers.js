// Called by Bokeh when the bars have their size: a row of answers per program, the chosen one in a sentence.
export default (args, figure, data, { index }) => {
  const root = stageOf(args, index)
  if (!root) return
  const { title, model, shades, colours, hatches, answers } = JSON.parse(args.setup)
  const live = make("p", { class: "wv-said", "aria-live": "polite" })
  const choose = chosen => {
    buttons.forEach((one, number) => one.setAttribute("aria-pressed", String(number === chosen)))
    live.textContent = answers[chosen].sentence
  }
  const hatch = number => (hatches[number].trim() ? `hatch ${hatches[number]}` : "plain")
  const buttons = answers.map((answer, number) =>
    make("button", { type: "button", class: "wv-pick", "aria-label": `answers for ${answer.name}`, onclick: () => choose(number) }, make("i", { class: "wv-dot", style: `background:${colours[number]}` }), ` ${answer.name}, ${hatch(number)}`),
  )
  const rows = answers.map((answer, number) =>
    make("tr", {},
      make("td", {}, buttons[number]),
      make("td", {}, make("b", {}, said(answer.cycles))),
      make("td", {}, `${said(answer.microseconds)} µs`),
      make("td", {}, answer.share_of_peak === null ? "–" : `${said(100 * answer.share_of_peak)} %`),
      make("td", {}, answer.largest ? said(answer.largest) : "none"),
      make("td", {}, madeBar(answer, shades)),
    ),
  )
  const head = ["program", "cycles", "time", "of peak", "largest side that fits", "its cycles are made of"].map(words => make("th", { scope: "col" }, words))
  const swatches = Object.entries(shades).map(([part, colour]) => make("span", {}, make("i", { style: `background:${colour}` }), part))
  root.append(
    make("h2", {}, title),
    live,
    make("table", { class: "wv-shares", "aria-label": "answers per program" }, make("thead", {}, make("tr", {}, ...head)), make("tbody", {}, ...rows)),
    make("div", { class: "wv-swatches" }, ...swatches),
    make("div", { class: "wv-model" }, model),
  )
  choose(0)
}

// A bar cut into what the cycles are made of, the shares also in words.
function madeBar({ made }, shades) {
  const whole = Object.values(made).reduce((one, two) => one + two, 0) || 1
  const parts = Object.entries(made).filter(([, cycles]) => cycles > 0)
  const words = parts.map(([part, cycles]) => `${said(Math.round((100 * cycles) / whole))} % ${part}`).join(", ")
  const bar = parts.map(([part, cycles]) => make("i", { style: `display:inline-block;height:16px;width:${((160 * cycles) / whole).toFixed(1)}px;background:${shades[part]}` }))
  return make("span", {}, make("span", { "aria-hidden": "true", style: "display:inline-block;width:170px" }, ...bar), words)
}

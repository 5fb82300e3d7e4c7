// Called by Bokeh when the figure has its size: sources to show or hide, and a list of what is farthest off.
export default (args, figure, data, { index }) => {
  const root = stageOf(args, index)
  if (!root) return
  const setup = JSON.parse(args.setup)
  const list = make("div", { "aria-live": "polite" })
  const show = number => list.replaceChildren(farthest(setup.comparisons[number]))
  const choices = setup.comparisons.map(({ title }, number) => [String(number), title])
  root.append(
    make("h2", {}, setup.title),
    make("p", { class: "wv-said" }, setup.said),
    make("div", { class: "wv-sources", role: "group", "aria-label": "sources" }, ...setup.sources.map((source, number) => sourceBox(source, args.shown[number]))),
    make("div", { class: "wv-row" }, chooser("farthest off in", choices, "0", value => show(Number(value)))),
    list,
  )
  show(0)
}

const SIGNS = { circle: "●", triangle: "▲", square: "■", diamond: "◆", inverted_triangle: "▼", hex: "⬢", plus: "✚", star: "★" }

function sourceBox(source, marks) {
  const box = make("input", { type: "checkbox", checked: "", onchange: event => marks.forEach(mark => (mark.visible = event.target.checked)) })
  return make("label", { style: "display: block" }, box, make("span", { style: `color: ${source.hue}; margin: 0 6px`, "aria-hidden": "true" }, SIGNS[source.mark]), `${source.name.replaceAll("`", "")} (${counted(source.figures, "figure")})`)
}

// A comparison's reason and its figures, the farthest off first.
function farthest({ note, number, exact, rows }) {
  const off = rows.filter(row => Math.abs(row[3]) >= 5e-6)
  const words = make("p", {}, `${said(exact)} of ${counted(number, "figure")} exact. ${note}`)
  if (!off.length) return words
  const line = ([name, theirs, ours, error, units]) => make("tr", {}, make("th", { scope: "row" }, name), ...[said(theirs), said(ours), `${error > 0 ? "+" : ""}${said(Math.round(error * 1000) / 10)} %`, units].map(text => make("td", {}, text)))
  const head = make("tr", {}, ...["figure", "theirs", "ours", "error", "units"].map(text => make("th", { scope: "col" }, text)))
  return make("div", {}, words, make("table", { class: "wv-shares", "aria-label": "figures farthest off" }, make("thead", {}, head), make("tbody", {}, ...off.map(line))))
}

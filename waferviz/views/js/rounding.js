// Called by Bokeh when the histogram has its size: a slider for the scale of the tables, a switch for the way to add.
export default (args, figure, data, { index }) => {
  const root = stageOf(args, index)
  if (!root) return
  const setup = JSON.parse(args.setup)
  const at = { share: 0, way: 0 }
  const live = make("p", { class: "wv-said", "aria-live": "polite" })
  const number = make("output", {})
  const slider = make("input", { type: "range", min: 0, max: setup.shares.length - 1, step: 1, value: 0, "aria-label": "activations that share a table scale" })
  const names = { exact: "add exactly", fast: "average in trees", "fast-corrected": "average, and take the mean excess off" }
  const ways = switched("entries", setup.ways.map((way, place) => [String(place), names[way] || way]), "0", value => draw({ way: Number(value) }))
  root.append(make("h2", {}, setup.title), make("div", { class: "wv-row" }, make("label", {}, "activations that share a table scale ", slider, " ", number)), make("div", { class: "wv-row" }, ways), live, make("div", { class: "wv-model" }, setup.model))
  slider.addEventListener("input", () => draw({ share: Number(slider.value) }))
  slider.addEventListener("keydown", event => event.stopPropagation())

  function draw(choice) {
    Object.assign(at, choice)
    const { share, way } = at
    const middle = setup.error[way]
    const half = (middle[1] - middle[0]) / 2
    const counts = setup.errors[share][way]
    args.bars.data = { left: middle.map(x => x - half), right: middle.map(x => x + half), top: counts }
    const [bound, most] = [setup.bound[share][way], -middle[0] + half]
    args.marks.data = { x: bound <= most ? [-bound, bound] : [] }
    args.across.setv({ start: -most, end: most })
    args.up.setv({ start: 0, end: 1.05 * Math.max(...counts) })
    const size = setup.shares[share]
    number.textContent = size === setup.K ? `all ${said(size)}` : said(size)
    slider.setAttribute("aria-valuetext", `${number.textContent} activations share a scale`)
    figure.title.text = `${said(setup.outputs)} outputs; the possible error is ±${said(bound)}${bound <= most ? " (dashed)" : ", outside the picture"}`
    live.textContent = `One scale for ${number.textContent} activations, ${names[setup.ways[way]]}: normalised mean square error ${setup.nmse[share][way].toExponential(1)}, largest error ${said(setup.largest[share][way])} of ±${said(bound)} possible, mean ${said(setup.mean[share][way])}.`
  }
  draw({})
}

// Called by Bokeh when the bars have their size: choose computer, model size and unit.
export default (args, figure, data, { index }) => {
  const root = stageOf(args, index)
  if (!root) return
  const setup = JSON.parse(args.setup)
  const at = { cpu: 0, size: Math.min(3, setup.size.length - 1), unit: "speed" }
  const live = make("p", { class: "wv-said", "aria-live": "polite" })
  const units = { speed: "tokens per second", traffic: "GB of weights read per second" }
  const pick = (name, key) => switched(name, setup[key].map((words, place) => [String(place), words]), String(at[key]), value => draw({ [key]: Number(value) }))
  root.append(
    make("h2", {}, setup.title),
    make("div", { class: "wv-row" }, pick("computer", "cpu"), switched("show", Object.entries(units), "speed", value => draw({ unit: value }))),
    make("div", { class: "wv-row" }, pick("model", "size")),
    live,
    make("div", { class: "wv-model" }, `${setup.model} Source: ${setup.source}.`),
  )

  function draw(choice) {
    Object.assign(at, choice)
    const of = (unit, kernel) => setup[unit][kernel][at.size][at.cpu]
    const order = setup.kernel.map((_, kernel) => kernel).sort((a, b) => (of(at.unit, b) ?? -1) - (of(at.unit, a) ?? -1))
    const best = setup.kernel.map((_, kernel) => kernel).reduce((a, b) => ((of("speed", b) ?? -1) > (of("speed", a) ?? -1) ? b : a))
    const names = order.map(kernel => setup.kernel[kernel])
    args.rows.factors = [...names].reverse()
    args.across.setv({ start: 0, end: 1.35 * Math.max(...order.map(kernel => of(at.unit, kernel) ?? 0)) })
    args.axis.axis_label = units[at.unit]
    args.bars.data = {
      name: names,
      right: order.map(kernel => of(at.unit, kernel) ?? 0),
      words: order.map(kernel => (of(at.unit, kernel) === null ? "does not fit" : `${said(Number(of(at.unit, kernel).toPrecision(4)))}  (${setup.bits[kernel]} bits)`)),
      colour: order.map(kernel => args.colours[kernel === best ? 2 : setup.kernel[kernel] === "Float16" ? 0 : 1]),
    }
    figure.title.text = `${setup.size[at.size]} weights on ${setup.cpu[at.cpu]}: fastest is ${setup.kernel[best]}`
    const wide = setup.kernel.indexOf("Float16")
    const reads = of("traffic", wide) ?? Math.max(...setup.traffic[wide].map(sizes => sizes[at.cpu] ?? 0))
    const slow = setup.kernel.filter((_, kernel) => kernel !== wide && of("traffic", kernel) < 0.6 * reads)
    live.textContent = `${setup.kernel[best]} writes ${said(of("speed", best))} tokens per second. 16-bit weights are read at up to ${said(Math.round(reads))} GB per second here; ${slow.length ? `${slow.join(", ")} ${slow.length > 1 ? "read" : "reads"} less than six tenths of that: fewer bytes would not help, faster arithmetic would` : "all others come near it: they wait for memory"}.`
  }
  draw({})
}

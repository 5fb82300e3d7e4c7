// Our own small controls: native elements with names, so that keyboards and screen readers work.

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value)
    else if (value !== null && value !== undefined) element.setAttribute(name, value)
  }
  element.append(...children)
  return element
}

function button(name, sign, press) {
  return make("button", { type: "button", "aria-label": name, title: name, onclick: press }, sign)
}

function chooser(name, options, chosen, change) {
  const select = make("select", { "aria-label": name, onchange: event => change(event.target.value) })
  for (const [value, words] of options) select.append(make("option", { value }, words))
  select.value = chosen
  return make("label", {}, `${name} `, select)
}

// Jump list: the events of every trace, in groups.
function jumpList(traces, go) {
  const select = make("select", { "aria-label": "jump to" }, make("option", { value: "" }, "choose …"))
  traces.forEach((trace, number) => {
    const group = make("optgroup", { label: trace.name })
    for (const [words, step] of trace.events) group.append(make("option", { value: `${number},${step}` }, words))
    select.append(group)
  })
  select.addEventListener("change", () => {
    if (!select.value) return
    const [number, step] = select.value.split(",").map(Number)
    go(traces[number], step)
    select.value = ""
  })
  return make("label", {}, "jump to ", select)
}

// The run as a strip of colour, one band a trace: how busy its busiest link is at each moment.
function heatStrip(canvas, traces, clock, colours) {
  const width = (canvas.width = 600)
  const height = (canvas.height = 8 * traces.length)
  const context = canvas.getContext("2d")
  traces.forEach((trace, number) => {
    for (let at = 0; at < width; at++) {
      const time = ((at + 0.5) / width) * clock.end
      const end = clock.kind === "cycles" ? trace.cycles[trace.last] : trace.last
      context.fillStyle = time > end ? "#f4f5f7" : colours[trace.busy[standing(trace, clock, time).step]]
      context.fillRect(at, number * 8, 1, 7)
    }
  })
  return height
}

// A colour bar with its ends in words.
function legend(layer, traces, scale, palettes) {
  const bar = (colours, low, high) => {
    const canvas = make("canvas", { width: 128, height: 12, "aria-hidden": "true" })
    const context = canvas.getContext("2d")
    for (let x = 0; x < 128; x++) {
      context.fillStyle = colours[Math.round((x * 255) / 127)]
      context.fillRect(x, 0, 1, 12)
    }
    return [make("span", {}, low), canvas, make("span", {}, high)]
  }
  const number = value => (Number.isInteger(value) ? value.toLocaleString("en") : value.toPrecision(3))
  const most = Math.max(...traces.map(trace => trace.blocks))
  if (layer === "blocks") {
    return [
      "Upper left: block of A, lower right: block of B. Solid square: they match, the core can multiply. Colour: contraction block ",
      ...bar(palettes.cyclic, "k = 0", number(most - 1)),
    ]
  }
  if (layer === "links") return ["Words on each link in this step ", ...bar(palettes.links, "1", `${number(scale.words)} words`), " grey: idle"]
  if (layer === "progress") return ["Blocks summed into C ", ...bar(palettes.amount, "1", `${number(most)} blocks`), " grey: none yet"]
  if (layer === "received") return ["Words into each router in this step ", ...bar(palettes.amount, "1", `${number(scale.received)} words`)]
  if (layer === "values") return ["Entries of C ", ...bar(palettes.amount, number(scale.low), number(scale.high)), " grey: NaN"]
  if (layer === "bytes") {
    const over = traces.filter(trace => trace.needed > trace.limit).map(trace => trace.name)
    const limit = Math.min(...traces.map(trace => trace.limit))
    return [
      "Memory in use ",
      ...bar(palettes.amount, "0", `${number(scale.bytes)} B; a core has ${number(limit)} B`),
      over.length ? make("strong", { class: "wv-broken" }, ` ▲ over the limit: ${over.join(", ")}`) : "",
    ]
  }
  return [`Share of C that is done, less ${traces[0].name}'s `, ...bar(palettes.difference.slice(0), "behind", "ahead")]
}

// Called by Bokeh when the picture has its size: choose a kernel and an input, play the additions.
export default (args, figure, data, { index }) => {
  const root = stageOf(args, index)
  if (!root) return
  const setup = JSON.parse(args.setup)
  const at = { kernel: 0, input: setup.inputs.length - 1 }
  const live = make("p", { class: "wv-said", "aria-live": "polite" })
  const transport = new Transport(root, "weights added", time => draw(Math.round(time)), () => speak())
  const kernels = switched("kernel", setup.kernels.map((name, place) => [String(place), name]), "0", value => choose({ kernel: Number(value) }))
  const inputs = switched("numbers", setup.inputs.map((name, place) => [String(place), name]), String(at.input), value => choose({ input: Number(value) }))
  root.append(make("h2", {}, setup.title), make("div", { class: "wv-row" }, kernels), make("div", { class: "wv-row" }, inputs), live, transport.element, make("div", { class: "wv-model" }, setup.model))
  const last = setup.true[0][0].length - 1
  transport.lay(last, Array.from({ length: last + 1 }, (_, step) => step))
  transport.seek(last)

  function choose(choice) {
    Object.assign(at, choice)
    transport.show()
    speak()
  }

  function draw(end) {
    const x = Array.from({ length: end + 1 }, (_, step) => step)
    for (const which of ["true", "held"]) args[which].data = { x, y: setup[which][at.kernel][at.input].slice(0, end + 1) }
    const wrong = x.findIndex(step => setup.true[at.kernel][at.input][step] !== setup.held[at.kernel][at.input][step])
    const most = Math.max(...x.map(step => Math.abs(setup.true[at.kernel][at.input][step])))
    figure.title.text = `${setup.kernels[at.kernel]}, ${setup.inputs[at.input]}: ${said(Math.round((100 * most) / setup.limit))} % of the room used${wrong >= 0 ? " – it wraps" : ""}`
    transport.place.textContent = `${said(end)} of ${counted(last, "weight")}`
    at.told = wrong >= 0 ? `After ${counted(wrong, "weight")} the lane wraps around: the true sum is ${said(setup.true[at.kernel][at.input][wrong])}, the register holds ${said(setup.held[at.kernel][at.input][wrong])}.` : `Up to here the lane is right; the largest sum was ${said(most)} of ${said(setup.limit)}.`
  }

  function speak() {
    const widened = setup.widened[at.kernel]
    live.textContent = `${at.told} ${widened ? `The kernel widens the lane after ${said(widened)} weights.` : `With numbers up to 127, ${said(Math.floor(setup.limit / 127))} weights in a row are safe: blocks must be no longer.`}`
  }
}

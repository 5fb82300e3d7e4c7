// Called by Bokeh when a figure has its size: builds the stage once, keeps labels right on later calls.
export default async (args, figure, data, { index }) => {
  const view = index.find_one(args.host)
  if (!view) return
  const root = view.shadow_el.querySelector(".wv-stage")
  if (root) return root.stage && root.stage.resized()
  const made = make("div", { class: "wv-stage" })
  view.shadow_el.append(make("style", {}, args.style), made)
  view.el.style.height = "auto"
  view.el.style.display = "block"
  const setup = JSON.parse(args.setup)
  const head = index.find_one(args.head)
  if (head) {
    head.shadow_el.append(make("style", {}, args.style), make("div", { class: "wv-title" }, setup.title))
    head.el.style.height = "auto"
    head.el.style.display = "block"
  }
  setup.palettes = JSON.parse(args.palettes)
  for (const trace of setup.traces) {
    trace.data = await inflate(trace.frames)
    delete trace.frames
    unwoven(trace)
  }
  made.stage = new Stage(args, made, setup.traces, setup)
  for (const [number, map] of made.stage.maps.entries()) {
    const pointed = pin => event => {
      made.stage.inspect(number, event.x, event.y, pin)
      if (pin) made.focus({ preventScroll: true })
    }
    map.models.figure.on_event("mousemove", pointed(false))
    map.models.figure.on_event("tap", pointed(true))
  }
}

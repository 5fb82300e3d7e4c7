// Called by Bokeh when the figure has its size: a title and a few sentences below pictures that stand still.
export default (args, figure, data, { index }) => {
  const root = stageOf(args, index)
  if (root) root.append(make("h2", {}, args.title), make("p", { class: "wv-said" }, args.said))
}

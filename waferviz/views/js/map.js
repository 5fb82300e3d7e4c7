// One map: a Bokeh figure fed from a trace.  It is built once; show() changes its data alone.

const LANES = { 0: [-0.2, -0.2], 1: [0.2, 0.2] }

class MeshMap {
  constructor(trace, models, colours, scale) {
    Object.assign(this, { trace, models, colours, scale, layer: "", step: -1, pinned: null, reference: null })
  }

  // Pixels a core, so that a core of the image is about a core of the figure.
  get cell() {
    const { trace, models } = this
    const pixels = Math.min((models.figure.inner_width || 300) / trace.columns, (models.figure.inner_height || 300) / trace.rows)
    return Math.max(1, Math.min(32, Math.round(pixels * (window.devicePixelRatio || 1)), Math.floor(1024 / Math.max(trace.rows, trace.columns))))
  }

  // Show a layer at a step; `part` of the step is over.  Returns true when the picture changed.
  show(layer, step, part, glide) {
    const settled = part >= 1 ? step : Math.max(0, step - 1)
    const moving = glide && part < 1 && layer === "blocks"
    const compared = layer === "difference" && this.reference ? this.reference.step : 0
    const drawn = layer === "links" || layer === "received" ? step : settled
    const wrong = this.trace.wrongStep >= 0 && step >= this.trace.wrongStep !== this.step >= this.trace.wrongStep
    const changed = wrong || layer !== this.layer || drawn !== this.drawn || compared !== this.compared
    Object.assign(this, { step, settled, drawn, compared })
    if (changed) this.draw(layer, drawn)
    if (moving || this.gliding) this.glide(step, part, moving)
    return changed || moving
  }

  draw(layer, step) {
    const { models } = this
    const image = this.paint(layer, step)
    if (!image) return
    if (layer !== this.layer) {
      this.layer = layer
      for (const grid of models.grids) grid.visible = models.lined && layer !== "links" && layer !== "values"
    }
    if (models.image.data.image[0] !== image) models.image.data.image = [image]
    models.image.change.emit()
    this.label(step)
    this.outline()
  }

  paint(layer, step) {
    const { trace, colours } = this
    const cell = this.cell
    const mesh = { height: trace.rows * cell, width: trace.columns * cell }
    const coreCell = Math.max(1, Math.round((cell * trace.columns) / trace.coreColumns))
    const core = { height: trace.coreRows * coreCell, width: trace.coreColumns * coreCell }
    if (layer === "blocks") {
      if (!frameOf(trace, "a", step)) return null
      return this.raster(mesh, image => paintBlocks(image, trace, step, cell, colours))
    }
    if (layer === "values") {
      const frame = frameOf(trace, "values", step)
      if (!frame) return null
      const { height, width } = trace.layers.values
      return this.raster({ height, width }, image => paintAmount(image, frame, height, width, 1, level => (level ? colours.amount[level] : colours.empty)))
    }
    const frame = frameOf(trace, { links: "traffic", progress: "filled", difference: "filled" }[layer] || layer, step)
    if (!frame) return null
    if (layer === "links") return this.raster(core, image => paintLinks(image, frame, trace.coreRows, trace.coreColumns, coreCell, colours))
    if (layer === "difference") return this.raster(mesh, image => this.paintDifference(image, frame))
    const onCores = layer === "bytes" || layer === "received"
    const size = onCores ? core : mesh
    const over = layer === "bytes" && trace.needed > trace.limit
    const shades = level => (over && level === 255 ? colours.broken : level ? colours.amount[level] : colours.empty)
    const [rows, columns] = onCores ? [trace.coreRows, trace.coreColumns] : [trace.rows, trace.columns]
    return this.raster(size, image => paintAmount(image, frame, rows, columns, onCores ? coreCell : cell, shades))
  }

  paintDifference(image, frame) {
    const { trace, reference, colours } = this
    const other = reference && frameOf(reference.trace, "filled", reference.settled)
    const { rows, columns } = trace
    const shades = (level, core) => {
      if (!other) return colours.difference[128]
      const y = Math.floor((Math.floor(core / columns) * reference.trace.rows) / rows)
      const x = Math.floor(((core % columns) * reference.trace.columns) / columns)
      return colours.difference[Math.max(1, Math.min(255, 128 + ((level - other[y * reference.trace.columns + x]) >> 1)))]
    }
    paintAmount(image, frame, rows, columns, this.cell, shades)
  }

  // The image array of the right size, painted; made anew only when the size changes.
  raster(size, paint) {
    const held = this.models.image.data.image[0]
    const fits = held.shape[0] === size.height && held.shape[1] === size.width
    const image = fits ? held : new held.constructor(size.height * size.width, [size.height, size.width])
    paint(image)
    return image
  }

  // Block numbers in the cells, while they fit.
  label(step) {
    const { trace, models } = this
    const pixels = (models.figure.inner_width || 300) / trace.columns
    const fits = this.layer === "blocks" && pixels >= 34
    if (!fits && !this.labelled) return
    this.labelled = fits
    const data = { x: [], y: [], text: [] }
    if (fits) {
      const frames = [frameOf(trace, "a", step), frameOf(trace, "b", step)]
      for (let core = 0; core < trace.rows * trace.columns; core++) {
        const y = Math.floor(core / trace.columns)
        const x = core % trace.columns
        frames.forEach((frame, operand) => {
          if (!frame[core]) return
          const away = operand ? 0.74 : 0.26
          data.x.push(x + away)
          data.y.push(y + away)
          data.text.push(String(frame[core] - 1))
        })
      }
    }
    models.labels.data = data
  }

  // Tiles under way, along the row, then along the column.
  glide(step, part, on) {
    const { trace, models, colours } = this
    this.gliding = on
    const data = { x: [], y: [], colour: [], shape: [], size: [] }
    const size = Math.max(3, 0.36 * ((models.figure.inner_width || 300) / trace.columns))
    if (on) {
      for (const flow of this.transfers(step)) {
        const way = eased(Math.min(1, part / 0.85)) * (Math.abs(flow.dx) + Math.abs(flow.dy))
        const along = Math.min(Math.abs(flow.dx), way)
        const down = way - along
        const [sideX, sideY] = LANES[flow.operand] || [0, 0]
        data.x.push(fold(flow.x + Math.sign(flow.dx) * along, trace.columns) + 0.5 + sideX)
        data.y.push(fold(flow.y + Math.sign(flow.dy) * down, trace.rows) + 0.5 + sideY)
        data.colour.push(flow.level ? colours.cyclicText[Math.round(((flow.level - 1) * 255) / Math.max(1, Math.min(255, trace.blocks))) & 255] : "#8a93a3")
        data.shape.push(flow.operand === 0 ? "square" : "circle")
        data.size.push(size)
      }
    }
    models.glide.data = data
  }

  // Tiles that arrive in a step: from (y, x), the way (dx, dy), the operand and its block level.
  transfers(step) {
    if (this.cached === step) return this.flows
    const { trace } = this
    const flows = []
    trace.tensors.forEach(name => {
      const fromY = frameOf(trace, `from_y_${name}`, step)
      const fromX = frameOf(trace, `from_x_${name}`, step)
      if (!fromY || trace.steps[keptIndex(trace, step)] !== step) return
      const operand = name.startsWith("A") ? 0 : name.startsWith("B") ? 1 : 2
      const levels = operand < 2 ? frameOf(trace, operand ? "b" : "a", step) : null
      for (let core = 0; core < fromY.length; core++) {
        if (!fromY[core]) continue
        const toY = Math.floor(core / trace.columns)
        const toX = core % trace.columns
        const y = fromY[core] - 1
        const x = fromX[core] - 1
        if (y === toY && x === toX) continue
        const dx = shorter(toX - x, trace.columns, trace.torus)
        const dy = shorter(toY - y, trace.rows, trace.torus)
        flows.push({ name, operand, y, x, toY, toX, dx, dy, level: levels ? levels[core] : 0 })
      }
    })
    this.cached = step
    this.flows = flows
    return flows
  }

  // Edge round the core under inspection and the ways of the tiles behind a chosen link or core.
  outline() {
    const { models, pinned } = this
    const data = { xs: [], ys: [] }
    if (pinned) {
      const { x, y } = pinned
      data.xs.push([x, x + 1, x + 1, x, x])
      data.ys.push([y, y, y + 1, y + 1, y])
      for (const flow of this.behind(pinned)) {
        data.xs.push([flow.x + 0.5, flow.x + flow.dx + 0.5, flow.x + flow.dx + 0.5])
        data.ys.push([flow.y + 0.5, flow.y + 0.5, flow.y + flow.dy + 0.5])
      }
    }
    const { wrongCore, wrongStep } = this.trace
    if (wrongStep >= 0 && wrongCore.length && this.step >= wrongStep) {
      const [y, x] = wrongCore
      data.xs.push([x, x + 1, x + 1, x, x], [x, x + 1], [x, x + 1])
      data.ys.push([y, y, y + 1, y + 1, y], [y, y + 1], [y + 1, y])
    }
    models.outline.data = data
  }

  // Transfers over a chosen link, or into a chosen core.
  behind(pinned) {
    if (pinned.direction === undefined) return this.transfers(this.step).filter(flow => flow.toY === pinned.y && flow.toX === pinned.x)
    return this.transfers(this.step).filter(flow => crosses(flow, pinned, this.trace))
  }
}

function crosses(flow, link, trace) {
  const [axisX, forward] = [link.direction < 2, link.direction % 2 === 0]
  const way = axisX ? flow.dx : flow.dy
  if (way === 0 || way > 0 !== forward) return false
  if (axisX ? flow.y !== link.y : flow.toX !== link.x) return false
  const [start, size, at] = axisX ? [flow.x, trace.columns, link.x] : [flow.y, trace.rows, link.y]
  const gone = forward ? fold(at - start, size) : fold(start - at, size)
  return gone < Math.abs(way)
}

function fold(position, size) {
  return ((position % size) + size) % size
}

function shorter(way, size, torus) {
  if (!torus || Math.abs(way) <= size / 2) return way
  return way > 0 ? way - size : way + size
}

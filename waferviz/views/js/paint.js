// Rasters: a frame of levels to an image of `cell` x `cell` pixels a core.  Lines between cores are Bokeh's grid.

// Share of a cell that is its core on a map of links; the rest is the way to its neighbours.
const CORE = 0.6

function fill(image, width, x, y, w, h, colour) {
  for (let row = y; row < y + h; row++) image.fill(colour, row * width + x, row * width + x + w)
}

// Who holds what: upper left the block of A, lower right the block of B; one solid square when they match.
function paintBlocks(image, trace, step, cell, colours) {
  const a = frameOf(trace, "a", step)
  const b = frameOf(trace, "b", step)
  const match = frameOf(trace, "match", step)
  const { rows, columns } = trace
  const width = columns * cell
  const scale = 255 / Math.max(1, Math.min(255, trace.blocks))
  const shade = level => (level ? colours.cyclic[Math.round((level - 1) * scale) & 255] : colours.empty)
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++) {
      const core = y * columns + x
      const upper = shade(a[core])
      const lower = shade(b[core])
      const left = x * cell
      const top = y * cell
      if (match[core]) {
        fill(image, width, left, top, cell, cell, upper)
      } else if (cell === 1) {
        image[top * width + left] = a[core] && b[core] ? mixed(upper, lower) : upper
      } else {
        for (let row = 0; row < cell; row++) {
          const at = (top + row) * width + left
          const split = cell - row - (cell > 2 ? 1 : 0)
          image.fill(upper, at, at + split)
          image.fill(lower, at + split, at + cell)
        }
      }
    }
  }
}

function mixed(one, two) {
  return ((((one >>> 1) & 0x7f7f7f7f) + ((two >>> 1) & 0x7f7f7f7f)) | 0xff000000) >>> 0
}

// One amount a core.
function paintAmount(image, frame, rows, columns, cell, shades) {
  const width = columns * cell
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++) {
      const colour = shades(frame[y * columns + x], y * columns + x)
      if (cell === 1) image[y * width + x] = colour
      else fill(image, width, x * cell, y * cell, cell, cell, colour)
    }
  }
}

// Links: a square for the core, lanes to its east and south neighbours, one per direction, as thick as their demand.
function paintLinks(image, frame, rows, columns, cell, colours) {
  const width = columns * cell
  const plane = rows * columns
  image.fill(colours.paper)
  const core = Math.round(cell * CORE)
  const lane = core >> 1
  const most = Math.max(1, lane > 4 ? lane - 1 : lane)
  const thick = level => (level ? Math.max(1, Math.round((most * level) / 255)) : 1)
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++) {
      const at = y * columns + x
      const left = x * cell
      const top = y * cell
      if (cell < 4) {
        paintLinkDot(image, width, left, top, cell, frame, at, plane, colours)
        continue
      }
      fill(image, width, left, top, core, core, colours.core)
      const east = frame[at]
      const west = frame[plane + y * columns + ((x + 1) % columns)]
      const south = frame[2 * plane + at]
      const north = frame[3 * plane + ((y + 1) % rows) * columns + x]
      if (x + 1 < columns || east || west) {
        fill(image, width, left + core, top, cell - core, thick(east), colours.link(east))
        fill(image, width, left + core, top + core - thick(west), cell - core, thick(west), colours.link(west))
      }
      if (y + 1 < rows || south || north) {
        fill(image, width, left + core - thick(south), top + core, thick(south), cell - core, colours.link(south))
        fill(image, width, left, top + core, thick(north), cell - core, colours.link(north))
      }
    }
  }
}

// Meshes too large for lanes: the busiest of a core's links, or one pixel a direction.
function paintLinkDot(image, width, left, top, cell, frame, at, plane, colours) {
  const [east, west, south, north] = [0, 1, 2, 3].map(direction => frame[direction * plane + at])
  if (cell === 1) {
    image[top * width + left] = colours.link(Math.max(east, west, south, north))
    return
  }
  image[top * width + left] = colours.link(north)
  image[top * width + left + 1] = colours.link(east)
  image[(top + 1) * width + left] = colours.link(west)
  image[(top + 1) * width + left + 1] = colours.link(south)
}

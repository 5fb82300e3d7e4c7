// Text to frames: base64, inflate, and one byte per core, layer and step.

function bytesOf(text) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text)
  const raw = atob(text)
  const bytes = new Uint8Array(raw.length)
  for (let i = 0; i < raw.length; i++) bytes[i] = raw.charCodeAt(i)
  return bytes
}

async function inflate(text) {
  const stream = new Blob([bytesOf(text)]).stream().pipeThrough(new DecompressionStream("deflate"))
  return new Uint8Array(await new Response(stream).arrayBuffer())
}

// Index of the last kept step that is not after `step`.
function keptIndex(trace, step) {
  let low = 0
  let high = trace.steps.length - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if (trace.steps[middle] <= step) low = middle
    else high = middle - 1
  }
  return low
}

// The frame of a layer at a step, planes one after the other, or null when the layer was not sent.
function frameOf(trace, name, step) {
  const layer = trace.layers[name]
  if (!layer) return null
  const size = layer.planes * layer.height * layer.width
  return trace.data.subarray(layer.at + keptIndex(trace, step) * size, layer.at + (keptIndex(trace, step) + 1) * size)
}

// "#rrggbb" strings to the 32-bit words of an RGBA image.
function table(colours) {
  const words = new Uint32Array(colours.length)
  colours.forEach((colour, i) => (words[i] = word(colour)))
  return words
}

function word(colour) {
  const value = parseInt(colour.slice(1), 16)
  return (0xff000000 | ((value & 255) << 16) | (value & 0xff00) | (value >> 16)) >>> 0
}

// Undo what made the frames small: even rows and columns came first, and B came as its difference from A.
function unwoven(trace) {
  for (const name of ["a", "b"]) {
    const layer = trace.layers[name]
    if (!layer) continue
    const { height, width } = layer
    const place = (at, size) => (at < (size + 1) >> 1 ? 2 * at : 2 * (at - ((size + 1) >> 1)) + 1)
    const columns = Int32Array.from({ length: width }, (_, x) => place(x, width))
    const copy = new Uint8Array(height * width)
    for (let frame = 0; frame < trace.steps.length; frame++) {
      const start = layer.at + frame * height * width
      copy.set(trace.data.subarray(start, start + height * width))
      const base = name === "b" ? trace.layers.a.at + frame * height * width : -1
      for (let y = 0; y < height; y++) {
        const row = place(y, height) * width
        for (let x = 0; x < width; x++) {
          const to = row + columns[x]
          trace.data[start + to] = copy[y * width + x] ^ (base < 0 ? 0 : trace.data[base + to])
        }
      }
    }
  }
}

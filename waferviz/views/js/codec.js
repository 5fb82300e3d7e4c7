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

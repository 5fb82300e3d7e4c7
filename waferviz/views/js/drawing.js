// Small pieces of pictures drawn as SVG in a stage.
function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag)
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value)
    else element.setAttribute(name, value)
  }
  element.append(...children)
  return element
}

function words(x, y, text, attributes = {}) {
  return svg("text", { x, y, "font-size": 15, fill: "#1b2230", "pointer-events": "none", ...attributes }, text)
}

// A number for people with a real minus sign.
function number(value) {
  return said(Number(value.toPrecision(6))).replace("-", "−")
}

// Slow at both ends, between 0 and 1.
function ease(share) {
  const t = Math.max(0, Math.min(1, share))
  return t * t * (3 - 2 * t)
}

// One clock for all maps: time in steps or in cycles, and where every trace stands at a time.

function clockOf(traces, kind) {
  const end = Math.max(...traces.map(trace => (kind === "cycles" ? trace.cycles[trace.last] : trace.last)))
  return { kind, end: Math.max(1, end) }
}

// Step that is under way (1..last, 0 before the start) and how much of it is over.
function standing(trace, clock, time) {
  if (clock.kind === "steps") {
    const step = Math.min(trace.last, Math.ceil(time))
    return { step, part: time >= trace.last ? 1 : step === 0 ? 1 : time - (step - 1) }
  }
  const cycles = trace.cycles
  if (time <= 0) return { step: 0, part: 1 }
  if (time >= cycles[trace.last]) return { step: trace.last, part: 1 }
  let low = 0
  let high = trace.last
  while (low < high) {
    const middle = (low + high) >> 1
    if (cycles[middle] < time) low = middle + 1
    else high = middle
  }
  return { step: low, part: (time - cycles[low - 1]) / Math.max(1, cycles[low] - cycles[low - 1]) }
}

// The next or previous moment at which any trace ends a step.
function neighbour(traces, clock, time, way) {
  if (clock.kind === "steps") return way > 0 ? Math.floor(time + 1e-9) + 1 : Math.ceil(time - 1e-9) - 1
  let best = way > 0 ? clock.end : 0
  for (const trace of traces) {
    const { step } = standing(trace, clock, time)
    for (const at of [step - 2, step - 1, step, step + 1]) {
      const cycle = trace.cycles[at]
      if (cycle === undefined) continue
      if (way > 0 && cycle > time + 1e-9) best = Math.min(best, cycle)
      if (way < 0 && cycle < time - 1e-9) best = Math.max(best, cycle)
    }
  }
  return best
}

function timeOf(trace, clock, step) {
  return clock.kind === "cycles" ? trace.cycles[step] : step
}

// Cycles gone when `part` of a step is over, on either clock.
function cycleAt(trace, step, part) {
  const before = trace.cycles[Math.max(0, step - 1)]
  return before + (trace.cycles[step] - before) * part
}

function eased(part) {
  return part < 0.5 ? 2 * part * part : 1 - 2 * (1 - part) * (1 - part)
}

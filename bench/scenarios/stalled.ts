/** stalled: one of eleven clients of a session stops reading, while the agent prints 500 MB. */
import { ask, inRounds, together } from "../measure.js"
import { forgetPeak, peakOf } from "../processes.js"
import type { Scenario } from "../Scenario.js"

const bytes = 16 * 1024
const lines = Math.ceil(500e6 / bytes)
const fast = 10

export const stalled: Scenario = {
  name: "stalled",
  about: `${fast} clients read a session of 500 MB, with and without another one that has stopped reading.`,
  run: async (bench) => {
    const cases = [{ name: bench.ours.name, isStalled: true }, { name: "without it", isStalled: false }]
    const { growth, rate } = await inRounds(
      bench,
      "stalled",
      cases,
      ({ isStalled }) =>
        together([bench.ours], async ([running]) => {
          if (running?.pid === undefined) throw new Error("the relay is not here")
          const session_id = `s-${isStalled}`
          const first = await running.open({ session_id })
          const talks = [first]
          for (let n = 1; n < fast; n++) talks.push(await running.open({ session_id }))
          const warm = talks.map((talk) => talk.ended())
          ask(first, { lines: 2000, bytes })
          await Promise.all(warm)
          const asleep = isStalled ? await running.open({ session_id }) : undefined
          asleep?.pause()
          forgetPeak(running.pid)
          const before = peakOf(running.pid)
          const begun = performance.now()
          const ended = talks.map((talk) => talk.ended())
          ask(first, { lines, bytes })
          await Promise.all(ended)
          const seconds = (performance.now() - begun) / 1000
          const growth = (peakOf(running.pid) - before) / 1024
          await Promise.all([...talks, ...asleep === undefined ? [] : [asleep]].map((talk) => talk.close()))
          return { growth, rate: lines / seconds }
        })
    )
    return [
      {
        what: "growth of memory, 500 MB printed",
        unit: "MB",
        better: "lower",
        samples: growth,
        goals: [{ bound: 60 }]
      },
      {
        what: "speed of the ten others",
        unit: "lines/s",
        better: "higher",
        samples: rate,
        goals: [{ against: "without it", times: 0.9 }]
      }
    ]
  }
}

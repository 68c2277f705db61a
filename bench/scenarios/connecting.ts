/** connecting: from a connection to a session one can talk to, many of them, and a turn of a warm process. */
import { inRounds, together } from "../measure.js"
import type { Scenario } from "../Scenario.js"
import { median } from "../statistics.js"

const times = 20
const atOnce = 10

export const connecting: Scenario = {
  name: "connecting",
  about: "Connect until the session answers, connections per second, and what a turn of a warm agent takes.",
  run: async (bench) => {
    const { first, perSecond, turn } = await together(
      [bench.ours, ...bench.others],
      (all) =>
        inRounds(bench, "connecting", all, async (running) => {
          const firsts: Array<number> = []
          const begun = performance.now()
          for (let n = 0; n < times; n += atOnce) {
            await Promise.all(Array.from({ length: atOnce }, async () => {
              const start = performance.now()
              const talk = await running.open()
              // Those without a greeting have a session when the agent first answers; all are asked the same.
              const ended = talk.ended()
              talk.prompt("hello")
              await ended
              firsts.push(performance.now() - start)
              await talk.close()
            }))
          }
          const perSecond = times / (performance.now() - begun) * 1000
          const talk = await running.open()
          const turns: Array<number> = []
          for (let n = 0; n < times; n++) {
            const start = performance.now()
            const ended = talk.ended()
            talk.prompt("hello")
            await ended
            turns.push(performance.now() - start)
          }
          await talk.close()
          return { first: median(firsts), perSecond, turn: median(turns.slice(5)) }
        }),
      { agent: "lines" }
    )
    return [
      {
        what: "connect, prompt, first answer (10 at once)",
        unit: "ms",
        better: "lower",
        samples: first,
        goals: []
      },
      { what: "such connections per second", unit: "/s", better: "higher", samples: perSecond, goals: [] },
      { what: "a turn of a warm agent", unit: "ms", better: "lower", samples: turn, goals: [] }
    ]
  }
}

/**
 * fairness: a session of 500 events per second, while another one prints as fast as it is read. Each is read by a process
 * of its own, as users have it: one process for both would be late for the calm one because of the flood it reads itself.
 */
import { ask, inRounds, promptFor, together } from "../measure.js"
import type { Scenario } from "../Scenario.js"
import { quantile } from "../statistics.js"
import { listen } from "./latency.js"

const seconds = 3

export const fairness: Scenario = {
  name: "fairness",
  about:
    "A session of 500 events/s while another one of the same relay prints lines of 1 KB as fast as they are read.",
  run: async (bench) => {
    const { p50, p99 } = await together(
      [bench.ours, ...bench.others],
      (all) =>
        inRounds(bench, "fairness", all, async (running) => {
          const delays: Array<number> = []
          const calm = await running.open()
          const endFlood = await running.flood(promptFor({ lines: 20_000, bytes: 1024 }))
          try {
            listen(calm, delays)
            const ended = calm.ended()
            ask(calm, { lines: 500 * seconds, bytes: 400, rate: 500 })
            await ended
            return { p50: quantile(delays, 0.5), p99: quantile(delays, 0.99) }
          } finally {
            await calm.close()
            await endFlood()
            await running.tidy()
          }
        })
    )
    return [
      { what: "p50 beside a flood", unit: "ms", better: "lower", samples: p50, goals: [{ bound: 1 }] },
      { what: "p99 beside a flood", unit: "ms", better: "lower", samples: p99, goals: [{ bound: 5 }] }
    ]
  }
}

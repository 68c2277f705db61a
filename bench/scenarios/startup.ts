/** startup: from the command to listening. */
import { oursAtFirst } from "../contenders.js"
import { inRounds } from "../measure.js"
import type { Scenario } from "../Scenario.js"

export const startup: Scenario = {
  name: "startup",
  about:
    "From the command to listening; the floor is a bare Node and ws server. In the last column V8 has kept nothing of an earlier start.",
  run: async (bench) => {
    const { ms } = await inRounds(
      bench,
      "startup",
      [bench.ours, ...bench.others, oursAtFirst],
      async ({ start }) => {
        const { startMs, stop } = await start()
        await stop()
        return { ms: startMs }
      }
    )
    return [{
      what: "command to listening",
      unit: "ms",
      better: "lower",
      samples: ms,
      goals: [{ against: "floor", times: 1, plus: 90 }]
    }]
  }
}

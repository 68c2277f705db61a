/** resuming: a client comes back to a session of 1,000,000 events and wants them all. */
import { oursThatKeepsAll } from "../contenders.js"
import { ask, inRounds, together } from "../measure.js"
import { cpuOf } from "../processes.js"
import type { Scenario } from "../Scenario.js"

const lines = 1_000_000
const bytes = 400

export const resuming: Scenario = {
  name: "resuming",
  about:
    "A client comes back to a session of 1,000,000 events and reads them all, beside seeing them for the first time.",
  run: async (bench) => {
    const { cpu, rate } = await together([oursThatKeepsAll, bench.floor], async (all) => {
      const [ours, floor] = all
      if (ours === undefined || floor === undefined) throw new Error("two are measured")
      const session_id = "long"
      const talk = await ours.open({ session_id })
      const ended = talk.ended()
      ask(talk, { lines, bytes })
      await ended
      const measured = async (pid: number | undefined, run: () => Promise<void>) => {
        const cpu = pid === undefined ? Number.NaN : cpuOf(pid)
        const begun = performance.now()
        await run()
        const seconds = (performance.now() - begun) / 1000
        return { rate: lines / seconds, cpu: pid === undefined ? Number.NaN : (cpuOf(pid) - cpu) / lines }
      }
      const cases = [
        {
          name: ours.name,
          run: () =>
            measured(ours.pid, async () => {
              const back = await ours.open({ session_id, after_seq: 0 })
              await back.has(lines)
              await back.close()
            })
        },
        {
          name: floor.name,
          run: async () => {
            const live = await floor.open()
            const result = await measured(floor.pid, async () => {
              const ended = live.ended()
              ask(live, { lines, bytes })
              await ended
            })
            await live.close()
            return result
          }
        }
      ]
      const results = await inRounds(bench, "resuming", cases, ({ run }) => run())
      await talk.close()
      return results
    })
    return [
      {
        what: "events read again",
        unit: "events/s",
        better: "higher",
        samples: rate,
        goals: [{ against: "floor", times: 1 }]
      },
      { what: "CPU per event read again", unit: "µs", better: "lower", samples: cpu, goals: [] }
    ]
  }
}

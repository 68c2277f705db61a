/** first: the first session after the start, when no code is warm: connect, prompt, first words; then the first thousand events. */
import { type Contender, oursAtFirst, type Running } from "../contenders.js"
import { ask, inRounds, together } from "../measure.js"
import { cpuOf } from "../processes.js"
import type { Bench, Scenario } from "../Scenario.js"

/** As a model writes: its words come one by one. */
const turn = { lines: 200, bytes: 400, rate: 200 }
const turns = 5

const measured = async ({ open, pid = 0 }: Running) => {
  const before = cpuOf(pid)
  const begun = performance.now()
  const talk = await open()
  const first = new Promise<number>((resolve) => talk.onFrame(() => resolve(performance.now())))
  let ended = talk.ended()
  ask(talk, turn)
  const ms = await first - begun
  talk.onFrame(undefined)
  await ended
  for (let n = 1; n < turns; n++) {
    ended = talk.ended()
    ask(talk, turn)
    await ended
  }
  await talk.close()
  return { ms, cpu: (cpuOf(pid) - before) / 1000 }
}

const fresh = ({ name, start }: Contender) => ({
  name,
  measure: () => together([{ name, start }], ([running]) => measured(running as Running))
})

export const first: Scenario = {
  name: "first",
  about:
    "The first session of a relay just started, at 200 words a second: connect, prompt, first event (the agent's start is in it), and the CPU of the first 1,000 events.",
  run: async (bench: Bench) => {
    const { cpu, ms } = await inRounds(
      bench,
      "first",
      [bench.ours, bench.floor, oursAtFirst].map(fresh),
      ({ measure }) => measure(),
      0
    )
    return [
      {
        what: "connect to first event",
        unit: "ms",
        better: "lower",
        samples: ms,
        goals: [{ against: bench.floor.name, times: 1, plus: 10 }]
      },
      {
        what: "CPU of the first 1,000 events",
        unit: "ms",
        better: "lower",
        samples: cpu,
        goals: [{ against: bench.floor.name, times: 1.5 }]
      }
    ]
  }
}

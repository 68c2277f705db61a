/** runsOf: a recorded session as the runs a client of AG-UI gets: one per turn, or one per stretch, as it answers asks. */
import * as Encoder from "../../../src/fronts/agui/encode.js"
import * as project from "../../../src/fronts/project.js"
import type { RelayEvent } from "../../../src/schema/index.js"

const place = (runId: string): Encoder.Run => ({ threadId: "t", runId, state: {}, seq: 0 })

/** As `connect` tells it: one encoder, a run per turn. */
export const turnsOf = (
  events: ReadonlyArray<RelayEvent>,
  dialect: Encoder.Dialect,
  options: project.Options = {}
): ReadonlyArray<ReadonlyArray<Encoder.AguiEvent>> => {
  const projector = project.make(options)
  const encoder = Encoder.make({ dialect, shown: Encoder.nothingShown })
  const runs: Array<Array<Encoder.AguiEvent>> = []
  let run: Array<Encoder.AguiEvent> | undefined
  for (const event of events) {
    for (const op of projector.next(event)) {
      if (op.type === "turn_start") runs.push(run = [...encoder.begin(place(`${op.turn}`))])
      const told = encoder.encode(op)
      run?.push(...told)
      if (op.type !== "turn_end") continue
      run?.push(...encoder.finish(place(`${op.turn}`), { type: "done" }, event.seq))
      run = undefined
    }
  }
  return runs
}

/** As a client that prompts and answers gets it: each run has an encoder of its own, which knows only the journal. */
export const stretchesOf = (
  events: ReadonlyArray<RelayEvent>,
  dialect: Encoder.Dialect
): ReadonlyArray<ReadonlyArray<Encoder.AguiEvent>> => {
  const runs: Array<Array<Encoder.AguiEvent>> = []
  for (const { seq: first, turn } of events.filter(({ type }) => type === "turn_start")) {
    const ofTurn = events.filter((event) => event.seq >= first && event.turn === turn)
    const asks = ofTurn.filter(({ type }) => type === "permission_request").map(({ seq }) => seq)
    for (const [index, until] of [...asks, Infinity].entries()) {
      const after = asks[index - 1] ?? 0
      const projector = project.make()
      const encoder = Encoder.make({ dialect, shown: Encoder.nothingShown })
      const run = [...encoder.begin(place(`${turn}-${index}`))]
      for (const event of ofTurn.filter(({ seq }) => seq <= until)) {
        for (const op of projector.next(event)) {
          const told = encoder.encode(op)
          if (event.seq > after) run.push(...told)
        }
      }
      const asked = projector.asking()
      run.push(...encoder.finish(
        place(`${turn}-${index}`),
        asked.length > 0 ? { type: "asked", asks: asked } : { type: "done" },
        Math.min(until, events.at(-1)?.seq ?? 0)
      ))
      runs.push(run)
    }
  }
  return runs
}

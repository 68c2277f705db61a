/**
 * removeEnded: removes the lab's containers that have ended, so that none stays behind: a crash's, those that the engine did not
 * start again with itself, and what a lab process that was killed had just created.
 */
import { Effect, Schedule } from "effect"
import * as spec from "./containerSpec.js"
import { DockerEngine, on } from "./DockerEngine.js"
import type { LabSettings } from "./LabConfig.js"

/** How often to look. One that is found twice is nobody's work any more. */
const pause = "1 minute"

/** Looks now and then, until the scope closes. */
export const removeEnded = Effect.fnUntraced(function*(settings: LabSettings) {
  const { call } = yield* DockerEngine
  let before = new Set<string>()

  const look = Effect.gen(function*() {
    const ended = yield* call((docker) =>
      docker.listContainers({ all: true, filters: spec.endedFilterOf(settings) })
    )
    const known = before
    before = new Set(ended.map(({ Id }) => Id))
    for (const { Id, Labels, Status } of ended.filter(({ Id }) => known.has(Id))) {
      // Without force: one that has just been started stays.
      yield* call((docker) => docker.getContainer(Id).remove()).pipe(on(404, undefined), on(409, undefined))
      const user = spec.ownerOf(settings, Labels)
      if (user !== undefined) yield* Effect.logInfo(`removed the container of ${user.id}: ${Status}`)
    }
  })

  yield* Effect.ignore(look).pipe(Effect.repeat(Schedule.spaced(pause)), Effect.forkScoped)
})

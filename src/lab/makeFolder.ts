/**
 * makeFolder: makes sure that the user's folder exists and is accessible only to them.
 */
import { Effect } from "effect"
import * as spec from "./containerSpec.js"
import { DockerEngine, on, toText } from "./DockerEngine.js"
import { LabConfig } from "./LabConfig.js"
import type { User } from "./User.js"
import { RelayUnavailable } from "./UserRelays.js"

export const makeFolder = Effect.fn("makeFolder")(function*(user: User) {
  const { call } = yield* DockerEngine
  const settings = yield* LabConfig
  const container = yield* Effect.acquireRelease(
    call((docker) => docker.createContainer(spec.toFolderMaker(settings, user))).pipe(
      Effect.catchIf(
        ({ status }) => status === 404,
        () =>
          new RelayUnavailable({
            reason: `there is no image ${settings.image} on this engine: build or pull it, or set LAB_IMAGE`
          })
      )
    ),
    (container) =>
      Effect.ignore({ log: true })(call(() => container.remove({ force: true })).pipe(on(404, undefined)))
  )
  yield* call(() => container.start())
  const { StatusCode } = yield* call((_, abortSignal) => container.wait({ abortSignal }))
  if (StatusCode === 0) return
  const said = yield* call(() => container.logs({ stdout: true, stderr: true, tail: 3 }))
  yield* new RelayUnavailable({
    reason:
      `cannot create a folder for ${user.id} under ${settings.workspace_root}: ${
        toText(said)
      }. Check LAB_WORKSPACE_ROOT, `
      + "and that LAB_CONTAINER_USER is a user of the image"
  })
}, Effect.scoped)

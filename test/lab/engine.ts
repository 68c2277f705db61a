/** engine: a Docker engine that does what a test says. */
import type Docker from "dockerode"
import { Effect, Layer } from "effect"
import { DockerEngine, EngineFailed } from "../../src/lab/DockerEngine.js"

/** Whatever fails in `docker` is a refusal with its `statusCode`. */
export const engine = (docker: object) =>
  Layer.succeed(DockerEngine, {
    call: (act) =>
      Effect.tryPromise({
        try: (signal) => act(docker as Docker, signal),
        catch: (cause) =>
          new EngineFailed({ status: (cause as { readonly statusCode: number }).statusCode, reason: "no" })
      })
  })

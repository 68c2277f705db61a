/**
 * DockerEngine: the Docker Engine API as effects. `DOCKER_HOST` and related variables say where the engine
 * is, as for every other client.
 *
 * The client library is loaded on first use, so that a relay that is not a lab does not pay for it.
 */
import type Docker from "dockerode"
import { Context, type Duration, Effect, Layer, Schema } from "effect"

/** The engine refused, or could not be reached (then there is no status). */
export class EngineFailed extends Schema.TaggedError<EngineFailed>()("EngineFailed", {
  status: Schema.optional(Schema.Number),
  reason: Schema.String
}) {
  override get message() {
    return this.status === undefined
      ? `the Docker engine cannot be reached (${this.reason}): check that it runs, and DOCKER_HOST`
      : `the Docker engine refused: ${this.reason}`
  }
}

export class DockerEngine extends Context.Service<DockerEngine, {
  /**
   * Call the engine. `signal` aborts a long request. An engine that hangs, or a connection to it that broke without a word,
   * fails after `patience`.
   */
  readonly call: <A>(
    act: (docker: Docker, signal: AbortSignal) => Promise<A>,
    patience?: Duration.Input
  ) => Effect.Effect<A, EngineFailed>
}>()("ai-relay/lab/DockerEngine") {
  static readonly layer = Layer.effect(this, Effect.suspend(() => make))
}

const make = Effect.gen(function*() {
  const { default: Client } = yield* Effect.promise(() => import("dockerode"))
  const docker = yield* Effect.try({ try: () => new Client(), catch: toFailure })
  return DockerEngine.of({
    call: (act, patience = longestCall) =>
      Effect.tryPromise({ try: (signal) => act(docker, signal), catch: toFailure }).pipe(
        Effect.timeoutOrElse({
          duration: patience,
          orElse: () => new EngineFailed({ reason: "it does not answer" })
        })
      )
  })
})

/** An engine that creates many containers at once takes its time. */
const longestCall = "1 minute"
/** How long the engine may take to say that it is there. */
export const pingTime = "5 seconds"

const toFailure = (cause: unknown): EngineFailed => {
  // Errors thrown by the client have these fields if they come from the engine.
  const { json, message, statusCode } = cause as {
    readonly statusCode?: number
    readonly message?: string
    readonly json?: { readonly message?: string }
  }
  return new EngineFailed({
    ...(statusCode !== undefined && { status: statusCode }),
    reason: json?.message ?? message ?? String(cause)
  })
}

/** Turn one error status of the engine into a value. */
export const on = <A>(status: number, value: A) => <B, R>(effect: Effect.Effect<B, EngineFailed, R>) =>
  Effect.catchIf(effect, (error) => error.status === status, () => Effect.succeed(value))

/**
 * A container's output as one line. The engine marks every chunk with 8 bytes: the stream, and the length
 * from the fifth byte on.
 */
export const toText = (output: Buffer): string => {
  const pieces: Array<string> = []
  for (let at = 0; at + 8 <= output.length;) {
    const end = at + 8 + output.readUInt32BE(at + 4)
    pieces.push(output.toString("utf8", at + 8, end).trim())
    at = end
  }
  return pieces.join("; ")
}

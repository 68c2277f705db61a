/**
 * transcriptSpawner: a process that is a recording of a real CLI (`test/fixtures/<agent>/*.jsonl`).
 *
 * What the CLI printed is printed again; where the recording wrote to it, the play waits until the adapter has written
 * a message of the same kind. Ids are matched: the recording's answer to its request 3 answers the adapter's request,
 * whatever id that has. `onInput` is told of each recorded input, so that a test can play the client who caused it.
 */
import { Deferred, Effect, FiberSet, Layer, Queue } from "effect"
import { readFileSync } from "node:fs"
import { type AgentExit, EventSink, ProcessSpawner } from "../../src/adapters/Adapter.js"

// Recorded JSON of three protocols; a test reads what it knows is there.
// oxlint-disable-next-line typescript/no-explicit-any
export type Native = any

interface Recorded {
  readonly dir: "meta" | "in" | "out" | "stdout" | "stderr" | "in-eof" | "signal" | "stdout-eof" | "exit"
  readonly data: Native
}

export interface TranscriptOptions {
  readonly file: string
  /** A recorded input comes next: cause it. False: the adapter will not write it, do not wait. */
  readonly onInput: (message: Native) => Effect.Effect<boolean>
  /** Answers for what the adapter asks and the recording does not have. */
  readonly unrecorded?: (message: Native) => Native | undefined
  /** Told of all that is written to it. */
  readonly onWritten?: (message: Native) => void
}

/** What kind of message it is: two of the same kind are the same step of a conversation. */
const kindOf = (message: Native): string =>
  [
    message.type,
    message.method,
    message.request?.subtype,
    message.method === undefined && "id" in message ? "answer" : ""
  ].join("|")

const idOf = (message: Native): unknown => message.id ?? message.request_id

const isAnswer = (message: Native) =>
  message.type === "control_response" || (message.method === undefined && "id" in message)

export const readTranscript = (file: string): ReadonlyArray<Recorded> =>
  readFileSync(file, "utf8").trim().split("\n").map((line) => JSON.parse(line) as Recorded)

/** What the CLI printed in a recording, as lines. */
export const printedLines = (file: string): ReadonlyArray<string> =>
  readTranscript(file).flatMap(({ data, dir }) =>
    dir === "out" ? [JSON.stringify(data)] : dir === "stdout" ? [String(data)] : []
  )

export const transcriptSpawner = (
  { file, onInput, onWritten, unrecorded = () => undefined }: TranscriptOptions
) =>
  Layer.succeed(ProcessSpawner, {
    spawn: (_, onLine) =>
      Effect.gen(function*() {
        const sink = yield* EventSink
        const exited = yield* Deferred.make<AgentExit>()
        const written = yield* Queue.unbounded<Native>()
        const fork = yield* FiberSet.makeRuntime<never>()
        const recording = readTranscript(file)
        const recordedKinds = new Set(
          recording.filter(({ dir }) => dir === "in").map(({ data }) => kindOf(data))
        )
        const ids = new Map<unknown, unknown>()

        const print = (line: string) => Effect.sync(() => void sink.batch(() => onLine(Buffer.from(line))))

        const withOurIds = (message: Native): Native => {
          if (!isAnswer(message)) return message
          const { response } = message
          return response?.request_id === undefined
            ? { ...message, id: ids.get(message.id) ?? message.id }
            : {
              ...message,
              response: { ...response, request_id: ids.get(response.request_id) ?? response.request_id }
            }
        }

        const waitFor = (message: Native): Effect.Effect<void> =>
          Effect.flatMap(Queue.take(written), (sent) => {
            if (kindOf(sent) !== kindOf(message)) return waitFor(message)
            ids.set(idOf(message), idOf(sent))
            return Effect.void
          })

        const step = ({ data, dir }: Recorded): Effect.Effect<void> => {
          switch (dir) {
            case "in":
              return Effect.flatMap(onInput(data), (comes) => comes ? waitFor(data) : Effect.void)
            case "out":
              return print(JSON.stringify(withOurIds(data)))
            case "stdout":
              return print(String(data))
            case "stderr":
              return Effect.sync(() => sink.emit({ type: "stderr", text: String(data) }))
            case "exit":
              return Effect.asVoid(Deferred.succeed(exited, {
                stderr: data.stderr ?? [],
                ...(data.code !== null && { exit_code: data.code }),
                ...(data.signal !== null && { signal: data.signal })
              }))
            default:
              return Effect.void
          }
        }
        // Let what the adapter does between two lines happen, as it would between two reads.
        yield* Effect.forkScoped(
          Effect.forEach(recording, (recorded) => Effect.andThen(Effect.yieldNow, step(recorded)), {
            discard: true
          })
        )

        return {
          pid: 1,
          writeLine: (line) =>
            Effect.suspend(() => {
              const message = JSON.parse(line) as Native
              onWritten?.(message)
              const answer = recordedKinds.has(kindOf(message)) ? undefined : unrecorded(message)
              if (answer !== undefined) fork(Effect.delay(print(JSON.stringify(answer)), 0))
              return Effect.asVoid(Queue.offer(written, message))
            }),
          endInput: Effect.void,
          exit: Deferred.await(exited)
        }
      })
  })

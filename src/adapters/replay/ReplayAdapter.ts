/**
 * ReplayAdapter: plays a recorded session on Effect's Clock, at its original pace.
 *
 * `command` is the transcript file, in the session's folder. With `--on-prompt` after it, each turn waits for
 * a prompt; otherwise the recording plays without one. Permissions are asked again and playback waits where
 * the recording waited, so the time a person took is not replayed. Whatever the answer, playback continues as
 * recorded.
 */
import { Effect, FileSystem, Layer, Path } from "effect"
import type { AgentSpec } from "../Adapter.js"
import { BadHandshake } from "../AdapterError.js"
import { AgentAdapter } from "../AgentDescriptor.js"
import { replay } from "./descriptors.js"
import { perform } from "./perform.js"
import { parse } from "./Transcript.js"
import { TranscriptFile } from "./TranscriptFile.js"

export const layer = () => Layer.effect(AgentAdapter, make)

const usage = "set `command` to [\"FILE\"], a transcript recorded with `ai-relay serve --record DIR`"

const make = Effect.gen(function*() {
  const files = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const transcripts = yield* TranscriptFile

  const read = Effect.fnUntraced(function*({ command, folder }: AgentSpec) {
    const [name, ...flags] = typeof command === "string" ? [command] : command ?? []
    if (name === undefined) return yield* new BadHandshake({ reason: `a replay needs a file: ${usage}` })
    const file = yield* Effect.mapError(
      files.realPath(path.resolve(folder, name)),
      () => new BadHandshake({ reason: `the transcript "${name}" does not exist: ${usage}` })
    )
    const way = path.relative(folder, file)
    if (way === ".." || way.startsWith(`..${path.sep}`) || path.isAbsolute(way)) {
      return yield* new BadHandshake({
        reason: `the transcript "${name}" is not in the session's folder: set \`folder\` to where it is`
      })
    }
    const text = yield* Effect.mapError(
      transcripts.read(file),
      ({ reason }) => new BadHandshake({ reason: `the transcript "${name}" ${reason}` })
    )
    const recording = yield* Effect.mapError(
      Effect.fromResult(parse(text)),
      ({ line }) =>
        new BadHandshake({ reason: `line ${line} of "${name}" is not a recorded event: ${usage}` })
    )
    return { cmd: [name, ...flags], onPrompt: flags.includes("--on-prompt"), recording }
  })

  const open = Effect.fnUntraced(function*(spec: AgentSpec) {
    return yield* perform(yield* read(spec))
  })

  return AgentAdapter.of({ tool: replay.tool, open })
})

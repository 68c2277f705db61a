/**
 * import: `ai-relay import FILE…` saves recorded sessions: recordings and exports of this relay, what clients of the Python
 * relay have saved, what agents have printed, and agents' own files. Imported sessions can be read and searched, and continued
 * if the agent still has the conversation.
 *
 * It writes to the state folder directly: no relay has to run, files may be of any size, and no token is needed. A relay that
 * uses the folder shows the sessions without a restart.
 */
import { Console, Effect, Result } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { createHash } from "node:crypto"
import { closeSync, openSync, readdirSync, readFileSync, readSync, realpathSync, statSync } from "node:fs"
import { basename, join } from "node:path"
import type { Recorded, TranscriptLines } from "../adapters/imported/readTranscripts.js"
import { isSessionId, SessionId } from "../schema/index.js"
import { messageOf } from "../schema/messageOf.js"
import type * as ImportedSessions from "../services/journal/ImportedSessions.js"
import { CommandError } from "./clientOptions.js"
import { orUndefined, relayOptions } from "./options.js"
import { visibleLine } from "./printable.js"

const isTranscript = (name: string) => /\.(ndjson|jsonl)$/.test(name)

/** The files to read: a file itself, or the files of a folder whose names end like transcripts. */
const filesIn = (path: string): ReadonlyArray<string> =>
  statSync(path).isDirectory()
    ? readdirSync(path).filter(isTranscript).toSorted().map((name) => join(path, name))
    : [path]

const newline = 10

/** One line at a time: a file may be longer than the longest string. */
function* linesOf(bytes: Buffer): Iterable<string> {
  for (let start = 0; start < bytes.length;) {
    const found = bytes.indexOf(newline, start)
    const end = found === -1 ? bytes.length : found
    yield bytes.toString("utf8", start, end)
    start = end + 1
  }
}

/** Bytes at the start of a file that tell its format. */
const headBytes = 256 * 1024

interface Head {
  readonly name: string
  /** Bytes. */
  readonly size: number
  /** When it was written last, in seconds since 1970. */
  readonly at: number
  readonly text: string
}

const toHead = (name: string): Head => {
  const file = openSync(name, "r")
  try {
    const { mtimeMs, size } = statSync(name)
    const bytes = Buffer.alloc(Math.min(size, headBytes))
    const read = readSync(file, bytes, 0, bytes.length, 0)
    return { name, size, at: mtimeMs / 1000, text: bytes.toString("utf8", 0, read) }
  } finally {
    closeSync(file)
  }
}

const toTranscript = ({ at, name }: Head): TranscriptLines => ({
  name,
  lines: linesOf(readFileSync(name)),
  at
})

const cannotRead = (path: string, cause: unknown) =>
  new CommandError({
    reason: `${path} cannot be read (${
      messageOf(cause)
    }): name a file or folder that exists and that you can read`
  })

const readFiles = (paths: ReadonlyArray<string>) =>
  Effect.forEach(paths, (path) =>
    Effect.try({
      try: () => filesIn(path).map(toHead),
      catch: (cause) => cannotRead(path, cause)
    }).pipe(
      Effect.filterOrFail((files) => files.length > 0, () =>
        new CommandError({
          reason: `there is no .ndjson or .jsonl file in the folder ${path}: name the files themselves`
        }))
    )).pipe(Effect.map((lists) => lists.flat()))

/** Code that only this command needs. */
const load = Effect.promise(() =>
  Promise.all([
    import("../adapters/imported/readTranscripts.js"),
    import("../adapters/imported/nativeFile.js"),
    import("../services/native/NativeDisk.js"),
    import("../services/journal/ImportedSessions.js")
  ])
)

const sha256 = (texts: ReadonlyArray<string>): string => {
  const hash = createHash("sha256")
  for (const text of texts) hash.update(text).update("\n")
  return hash.digest("hex")
}

/** The id it is saved under: its own, or one made from that or from its first line, so that it stays when the recording grows. */
const nameOf = ({ lines: [first = ""], session_id }: Recorded): SessionId => {
  if (isSessionId(session_id)) return session_id
  const words = session_id.replaceAll(/[^A-Za-z0-9_-]+/g, "-").replaceAll(/^-+|-+$/g, "").slice(0, 80)
  return SessionId.make([words || "import", sha256([session_id || first]).slice(0, 10)].join("-"))
}

const relays = { relay: "an ai-relay", python: "the Python relay", agent: "the agent itself" } as const

const toRecording = (recorded: Recorded, name: SessionId): ImportedSessions.Recording => ({
  session_id: name,
  by: relays[recorded.by],
  ...(recorded.tool !== undefined && { tool: recorded.tool }),
  ...(recorded.folder !== undefined && { folder: recorded.folder }),
  ...(recorded.model !== undefined && { model: recorded.model }),
  digest: sha256(recorded.lines),
  events: recorded.events
})

const amount = (count: number, word: string) => `${count} ${word}${count === 1 ? "" : "s"}`

const describe = ({ events, folder, session_id, tool }: ImportedSessions.Recording): string => {
  const turns = events.filter(({ event }) => event.type === "turn_start").length
  const about = [tool, folder].filter((part) => part !== undefined).map(visibleLine).join(", ")
  return `${session_id}${about === "" ? "" : ` (${about})`}: ${amount(turns, "turn")}, ${
    amount(events.length, "event")
  }`
}

const taken = ({ session_id }: ImportedSessions.Recording, isEarlier: boolean): string =>
  isEarlier
    ? `a shorter version of ${session_id} is saved already: remove it (ai-relay sessions rm ${session_id}) and import again, `
      + "or choose another name with --as NAME"
    : `another session has the id ${session_id}: choose a different name with --as NAME`

export const importSessions = Command.make(
  "import",
  {
    as: Flag.String("as").pipe(Flag.optional),
    state_dir: relayOptions.state_dir,
    config: relayOptions.config,
    files: Argument.variadic(Argument.String("file"))
  },
  ({ as, files, state_dir }) =>
    Effect.gen(function*() {
      if (files.length === 0) {
        return yield* new CommandError({ reason: "missing file: ai-relay import recordings/*.ndjson" })
      }
      const name = orUndefined(as)
      if (name !== undefined && !isSessionId(name)) {
        return yield* new CommandError({
          reason:
            `--as cannot be "${name}": it must be 1 to 128 letters, digits and . _ : -, and not start with a dot`
        })
      }
      const heads = yield* readFiles(files)
      const [{ readTranscripts }, { nativeKindIn, readNativeFile }, NativeDisk, ImportedSessions] =
        yield* load
      const disk = NativeDisk.make()
      const own: Array<Recorded> = []
      const transcripts: Array<Head> = []
      for (const head of heads) {
        const kind = nativeKindIn(head.text, head.size <= headBytes)
        if (kind === undefined) {
          transcripts.push(head)
          continue
        }
        const read = readNativeFile(disk, realpathSync(head.name), kind)
        if (Result.isSuccess(read)) own.push(read.success)
        // In a folder, files that cannot be imported are skipped.
        else if (!files.includes(head.name)) {
          yield* Console.error(`${visibleLine(basename(head.name))} is skipped: it ${read.failure}.`)
        } else {
          return yield* new CommandError({
            reason: `${visibleLine(basename(head.name))} ${read.failure}. Nothing was imported.`
          })
        }
      }
      const lines = yield* Effect.try({
        try: () => transcripts.map(toTranscript),
        catch: (cause) => cannotRead(files.join(", "), cause)
      })
      const read = readTranscripts(lines)
      if (Result.isFailure(read)) {
        const { line, name, reason } = read.failure
        return yield* new CommandError({
          reason: `line ${line} of ${visibleLine(basename(name))} ${reason}. Nothing was imported.`
        })
      }
      const found = [...read.success, ...own]
      if (found.length === 0) {
        return yield* new CommandError({
          reason: `nothing to import in ${files.join(", ")}: name a file that contains a recording`
        })
      }
      if (name !== undefined && found.length > 1) {
        return yield* new CommandError({
          reason: `--as names one session, but these files contain ${found.length}: import them one at a time`
        })
      }
      const imports = ImportedSessions.make(state_dir)
      const recordings = found.map((recorded) =>
        toRecording(recorded, isSessionId(name) ? name : nameOf(recorded))
      )
      const twice = recordings.find(({ session_id }, place) =>
        recordings.findIndex((other) => other.session_id === session_id) !== place
      )
      if (twice !== undefined) {
        return yield* new CommandError({
          reason:
            `several of these files belong to ${twice.session_id}: import only the longest, or one at a time with --as NAME. `
            + "Nothing was imported."
        })
      }
      const conflicts = recordings.flatMap((recording) => {
        const outcome = imports.look(recording)
        return outcome._tag === "Taken" ? [taken(recording, outcome.isEarlier)] : []
      })
      if (conflicts.length > 0) {
        return yield* new CommandError({ reason: `${conflicts.join("; ")}. Nothing was imported.` })
      }
      for (const recording of recordings) {
        const outcome = yield* imports.keep(recording)
        switch (outcome._tag) {
          case "New":
            yield* Console.log(`Imported ${describe(recording)}.`)
            break
          case "Imported":
            yield* Console.log(`${recording.session_id} was imported before.`)
            break
          case "Kept":
            yield* Console.log(`${recording.session_id} is saved here already.`)
            break
          case "Taken":
            return yield* new CommandError({ reason: taken(recording, outcome.isEarlier) })
        }
      }
    })
)

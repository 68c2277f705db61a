/**
 * attachments: files that a person gives to a session's agent. They are saved with the session and deleted with it, or in the
 * session's folder on request. Names cannot lead elsewhere, and nothing is overwritten.
 */
import { Effect, Exit } from "effect"
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  write
} from "node:fs"
import { join } from "node:path"
import type { Readable } from "node:stream"
import type { Attachment } from "../../schema/WorkspaceAnswers.js"
import { cutTo } from "../cutTo.js"
import { type Inside, openIn, pathAt } from "./insideFolder.js"
import { refuse, type WorkspaceRefused } from "./WorkspaceRefused.js"

/** Bytes per file, bytes per session, and the number of files. */
export const mostBytes = 50 * 1024 * 1024
const mostOfSession = 500 * 1024 * 1024
const mostFiles = 500
/** Where they are saved in a session's folder. */
const folderName = "attachments"

const tooLarge = refuse(
  "too_large",
  `a file may have at most ${
    mostBytes / 1024 / 1024
  } MB: send a smaller one, or put it in the session's folder yourself`
)

const sessionFull = refuse(
  "too_large",
  `a session may have at most ${mostFiles} attachments of ${
    mostOfSession / 1024 / 1024
  } MB together, and this one would have more: put the file in the session's folder instead`
)
const sessionGone = refuse("missing", "the session was deleted: open it again, then send the file")
const fileGone = refuse("conflict", "the file was removed while it arrived: send it again")

/** What a session's attachments take, those that are still being uploaded among them. */
interface Taken {
  files: number
  bytes: number
  uploads: number
}
/** Of the sessions with uploads in progress, by the folder itself: uploads that arrive together share one limit. */
export type Uploads = Map<number, Taken>

/** Bytes of a name; file systems allow 255, and a number may follow. */
const longestName = 180

/**
 * Characters safe in a path, a shell command and on screen: no separators, control characters, quotes, or
 * leading dot or dash.
 */
export const safeName = (name: string): string => {
  const last = name.normalize("NFC").split(/[/\\]/).at(-1) ?? ""
  const plain = last
    .replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, "")
    .replaceAll(/[^\p{L}\p{M}\p{N}._ ()+,=@-]/gu, "_")
    .replaceAll(/\s+/g, " ")
    .trim()
    .replace(/^[.\-~ ]+/, (start) => "_".repeat(start.length > 0 ? 1 : 0))
    .replace(/[. ]+$/, "")
  const dot = plain.lastIndexOf(".")
  const ending = dot > 0 && plain.length - dot <= 16 ? plain.slice(dot) : ""
  const base = cutTo(plain.slice(0, plain.length - ending.length), longestName - Buffer.byteLength(ending))
  return base + ending || "file"
}

const numbered = (name: string, number: number): string => {
  if (number === 1) return name
  const dot = name.lastIndexOf(".")
  return dot > 0 ? `${name.slice(0, dot)}-${number}${name.slice(dot)}` : `${name}-${number}`
}

/** A new file of that name, or of the name with a number. */
const create = (folder: string, name: string): { readonly fd: number; readonly name: string } | undefined => {
  const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants
  for (let number = 1; number <= mostFiles; number++) {
    try {
      const own = numbered(name, number)
      return { fd: openSync(join(folder, own), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600), name: own }
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== "EEXIST") return undefined
    }
  }
  return undefined
}

/**
 * Writes the stream as fast as the disk takes it; gives the number of bytes. Stops if interrupted. `why` is asked about each
 * chunk's bytes: a refusal ends it. When it is over, no thread writes any more: a file that is opened after this one is closed may
 * get the same descriptor, and would get those bytes.
 */
const pour = (
  from: Readable,
  fd: number,
  why: (bytes: number) => WorkspaceRefused | undefined
): Effect.Effect<number, WorkspaceRefused> =>
  Effect.callback((resume) => {
    let size = 0
    let isOver = false
    let isEnded = false
    let isWriting = false
    let onWritten: () => void = () => {}
    const stop = (then: () => void) => {
      isOver = true
      from.off("data", onData).off("end", onEnd).off("close", onClose)
      if (isWriting) onWritten = then
      else then()
    }
    const end = (how: Effect.Effect<number, WorkspaceRefused>) => {
      if (!isOver) stop(() => resume(how))
    }
    const onData = (chunk: Buffer) => {
      size += chunk.length
      const refused = size > mostBytes ? tooLarge : why(chunk.length)
      if (refused !== undefined) return end(Effect.fail(refused))
      from.pause()
      put(chunk)
    }
    const put = (chunk: Buffer) => {
      isWriting = true
      write(fd, chunk, 0, chunk.length, null, (error, written) => {
        isWriting = false
        if (isOver) return onWritten()
        if (error !== null) {
          return end(
            Effect.fail(
              refuse(
                "conflict",
                `the file cannot be written (${
                  error.code ?? error.message
                }): free some space on the relay's disk`
              )
            )
          )
        }
        if (written < chunk.length) return put(chunk.subarray(written))
        if (isEnded) end(Effect.succeed(size))
        else from.resume()
      })
    }
    const onEnd = () => {
      isEnded = true
      if (!isWriting) end(Effect.succeed(size))
    }
    const onClose = () => {
      if (!isEnded) end(Effect.fail(refuse("wrong", "the file ended early: send it again")))
    }
    from.on("data", onData).once("end", onEnd).once("close", onClose)
    return Effect.callback<void>((resume) => stop(() => resume(Effect.void)))
  })

/** What is in the folder already. */
const takenIn = (folder: string): Taken => {
  const sizes = readdirSync(folder).flatMap((name) => {
    const stat = statSync(join(folder, name), { throwIfNoEntry: false })
    return stat === undefined ? [] : [stat.size]
  })
  return { files: sizes.length, bytes: sizes.reduce((sum, size) => sum + size, 0), uploads: 0 }
}

/** Whether the file has its name still: the folder may have been deleted, and made again with another file of that name. */
const isNamed = (fd: number, path: string): boolean =>
  lstatSync(path, { throwIfNoEntry: false })?.ino === fstatSync(fd).ino

/** Puts a file into an existing folder: `at` is its current path, `told` the one for the agent; `gone` says that it was deleted. */
const putInto = Effect.fnUntraced(function*(
  from: Readable,
  name: string,
  at: string,
  told: string,
  gone: WorkspaceRefused,
  why: (bytes: number) => WorkspaceRefused | undefined = () => undefined
) {
  return yield* Effect.acquireUseRelease(
    Effect.suspend(() => {
      const made = create(at, safeName(name))
      return made === undefined
        ? Effect.fail(
          refuse("conflict", `no file can be created in ${told}: check its permissions and the free space`)
        )
        : Effect.succeed({ ...made, isWhole: false })
    }),
    (made) =>
      Effect.flatMap(pour(from, made.fd, why), (size) => {
        if (!isNamed(made.fd, join(at, made.name))) return Effect.fail(gone)
        made.isWhole = true
        return Effect.succeed<Attachment>({ name: made.name, path: join(told, made.name), size })
      }),
    (made) =>
      Effect.sync(() => {
        const path = join(at, made.name)
        if (!made.isWhole && isNamed(made.fd, path)) rmSync(path, { force: true })
        closeSync(made.fd)
      })
  )
})

/** Saves a file with the session's own. `kept` is where the relay stores the session. */
export const keep = Effect.fn("attachments.keep")(
  function*(from: Readable, name: string, kept: string, uploads: Uploads) {
    const folder = join(kept, folderName)
    const { key, taken } = yield* Effect.try({
      try: () => {
        // Not recursive: an upload does not bring a deleted session back.
        if (!existsSync(folder)) mkdirSync(folder, { mode: 0o700 })
        const key = statSync(folder).ino
        return { key, taken: uploads.get(key) ?? takenIn(folder) }
      },
      catch: () =>
        existsSync(kept)
          ? refuse("conflict", `${folder} cannot be used: free some space, or fix its permissions`)
          : sessionGone
    })
    if (taken.files >= mostFiles || taken.bytes >= mostOfSession) return yield* sessionFull
    let own = 0
    const count = (bytes: number) => {
      if (taken.bytes + bytes > mostOfSession) return sessionFull
      taken.bytes += bytes
      own += bytes
      return undefined
    }
    return yield* Effect.acquireUseRelease(
      Effect.sync(() => {
        uploads.set(key, taken)
        taken.uploads += 1
        taken.files += 1
      }),
      () => putInto(from, name, folder, folder, sessionGone, count),
      (_, exit) =>
        Effect.sync(() => {
          taken.uploads -= 1
          if (Exit.isFailure(exit)) {
            taken.files -= 1
            taken.bytes -= own
          }
          if (taken.uploads === 0) uploads.delete(key)
        })
    )
  }
)

/** Saves a file in the session's folder. */
export const putInFolder = (from: Readable, name: string, inside: Inside) =>
  Effect.scoped(Effect.gen(function*() {
    yield* Effect.try({
      try: () => {
        const made = join(inside.folder, folderName)
        if (statSync(made, { throwIfNoEntry: false }) === undefined) mkdirSync(made)
      },
      catch: () => refuse("conflict", `no folder can be created in ${inside.folder}: check its permissions`)
    })
    const opened = yield* openIn(inside, folderName, "folder")
    return yield* putInto(from, name, pathAt(opened), opened.real, fileGone)
  }))

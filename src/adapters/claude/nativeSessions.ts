/**
 * nativeSessions: conversations stored by Claude Code in `projects/<folder>/<uuid>.jsonl` below its settings
 * (formats of 1.0 to 2.1.332), and the processes that have them open (`sessions/<pid>.json`).
 */
import type { NativeFiles, Steps } from "../native/NativeFiles.js"
import type {
  NativeCounts,
  NativeFile,
  NativeHolder,
  NativeOrigin,
  NativeStore,
  NativeSummary
} from "../native/NativeStore.js"
import {
  endsOf,
  field,
  type Fields,
  findInHead,
  number,
  parseLine,
  parseLines,
  readLines,
  secondsOf,
  text,
  toTitle,
  uuid
} from "../native/readLines.js"
import { promptOf, readBranch, readFields } from "./nativeBranch.js"
import { type Around, translateRecord } from "./nativeRecord.js"

const fileName = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.jsonl$/

/** Claude's name for a folder. It cannot be reversed. */
const folderName = (folder: string) => folder.normalize("NFC").replaceAll(/[^a-zA-Z0-9]/g, "-").slice(0, 200)

/** Whether a folder of this name may be one of these or lie below one. */
export const mayLieBelow = (name: string, roots: ReadonlyArray<string>): boolean =>
  roots.some((root) => name.startsWith(folderName(root.replace(/\/$/, ""))))

const origins: Readonly<Record<string, NativeOrigin>> = {
  cli: "terminal",
  "sdk-cli": "headless",
  "sdk-ts": "headless",
  "sdk-py": "headless",
  "claude-vscode": "ide"
}

const lastOf = <A>(lines: ReadonlyArray<Fields>, pick: (line: Fields) => A | undefined): A | undefined => {
  for (let at = lines.length - 1; at >= 0; at -= 1) {
    const line = lines[at]
    const found = line === undefined ? undefined : pick(line)
    if (found !== undefined) return found
  }
  return undefined
}

const typed = (type: string, name: string) => (line: Fields) =>
  line["type"] === type ? text(line, name) : undefined

/** Subagents of 1.0 stand in the same file, sometimes before anything else. */
const isOfChain = (line: Fields) => text(line, "uuid") !== undefined && line["isSidechain"] !== true

const modelOf = (line: Fields) => {
  const model = line["type"] === "assistant" ? text(field(line, "message"), "model") : undefined
  return model === "<synthetic>" ? undefined : model
}

export const makeStore = (files: NativeFiles): NativeStore => {
  const root = files.variable("CLAUDE_CONFIG_DIR") ?? `${files.home}/.claude`
  const projects = `${root}/projects`

  const filesIn = (folder: string): ReadonlyArray<NativeFile> =>
    files.entries(`${projects}/${folder}`).flatMap(({ isFolder, name }) => {
      const id = isFolder ? undefined : fileName.exec(name)?.[1]
      const path = `${projects}/${folder}/${name}`
      const stamp = id === undefined ? undefined : files.stamp(path)
      return id === undefined || stamp === undefined || stamp.size === 0 ? [] : [{ id, path, stamp }]
    })

  function* all(roots: ReadonlyArray<string>): Steps<ReadonlyArray<NativeFile>> {
    const found: Array<NativeFile> = []
    for (const { isFolder, name } of files.entries(projects)) {
      if (!isFolder || !mayLieBelow(name, roots)) continue
      found.push(...filesIn(name))
      yield
    }
    return found
  }

  function* find(id: string): Steps<NativeFile | undefined> {
    if (!uuid.test(id)) return undefined
    let newest: NativeFile | undefined
    for (const { isFolder, name } of files.entries(projects)) {
      const path = `${projects}/${name}/${id}.jsonl`
      const stamp = isFolder ? files.stamp(path) : undefined
      if (stamp !== undefined && stamp.size > 0 && stamp.mtime > (newest?.stamp.mtime ?? -1)) {
        newest = { id, path, stamp }
      }
    }
    return newest
  }

  /**
   * The folder it began in, because Claude finds it again only there. If that was moved, and the file with it,
   * the one it was continued in.
   */
  const folderNow = (path: string, began: string, newestFirst: ReadonlyArray<Fields>): string => {
    const name = path.split("/").at(-2)
    if (folderName(began) === name || files.entries(began).length > 0) return began
    return newestFirst.map((line) => text(line, "cwd")).find((cwd) =>
      cwd !== undefined && folderName(cwd) === name
    )
      ?? began
  }

  const summary = ({ path, stamp }: NativeFile): NativeSummary | undefined => {
    const ends = endsOf(files, path, stamp)
    const short = parseLines(ends.head)
    // A first prompt may hold an image.
    const head = short.some(isOfChain) || ends.head === ends.tail
      ? short
      : findInHead(files, path, stamp, (lines) => lines.some(isOfChain) ? lines : undefined) ?? short
    const tail = ends.tail === ends.head ? head : parseLines(ends.tail)
    // A huge line may be at the end; repeated metadata is looked up before it.
    const far = tail === head || lastOf(tail, typed("last-prompt", "leafUuid")) !== undefined
      ? tail
      : parseLines(endsOf(files, path, stamp, 256 * 1024).tail)
    if (!head.some(isOfChain)) return undefined
    const begun = head.find((line) => text(line, "cwd") !== undefined)
    const began = text(begun, "cwd")
    const prompt = head.map(promptOf).find((prompt) => prompt !== undefined)
    if (begun === undefined || began === undefined) return undefined
    const last_active_at = lastOf(far, (line) => secondsOf(line["timestamp"])) ?? stamp.mtime / 1000
    const created_at = secondsOf(begun["timestamp"])
    const either = <A>(pick: (line: Fields) => A | undefined) => lastOf(far, pick) ?? lastOf(head, pick)
    const named = either(typed("custom-title", "customTitle"))
    const summaries = typed("summary", "summary")
    const said = new Set([...head, ...far].map((line) => text(line, "uuid")))
    // Old versions also wrote down what other conversations of the folder were about.
    const own = either((line) => said.has(text(line, "leafUuid")) ? summaries(line) : undefined)
    const made = either(typed("ai-title", "aiTitle")) ?? own ??
      (prompt === undefined ? either(summaries) : undefined)
    const words = prompt ?? either(typed("last-prompt", "lastPrompt"))
    // Opened and abandoned: nothing was said.
    if (words === undefined && made === undefined) return undefined
    const model = either(modelOf)
    const branch = either((line) => text(line, "gitBranch"))
    const kind = lastOf(far, (line) => text(line, "sessionKind"))
    const origin = kind === "bg" ? "background" : origins[text(begun, "entrypoint") ?? ""]
    const title = named ?? made ?? words
    return {
      folder: folderNow(path, began, [...far.toReversed(), ...head]),
      last_active_at,
      ...(title !== undefined && {
        title: toTitle(title),
        title_by: named !== undefined
          ? "user" as const
          : made !== undefined
          ? "agent" as const
          : "prompt" as const
      }),
      ...(prompt !== undefined && { first_prompt: toTitle(prompt) }),
      ...(created_at !== undefined && { created_at }),
      ...(model !== undefined && { model }),
      ...(branch !== undefined && branch !== "" && branch !== "HEAD" && { branch }),
      ...(origin !== undefined && { origin })
    }
  }

  function* counts({ path, stamp }: NativeFile): Steps<NativeCounts> {
    let prompts = 0
    const messages = new Set<string>()
    const prompted = new Set<string>()
    const tokens = { input: 0, output: 0, cached: 0 }
    yield* readLines(files, path, 0, stamp.size, (bytes) => {
      // Most lines of a large file are neither.
      if (!bytes.includes("\"type\":\"assistant\"") && !bytes.includes("\"type\":\"user\"")) return
      const line = parseLine(bytes)
      if (line === undefined || line["isSidechain"] === true) return
      const uuid = text(line, "uuid") ?? ""
      if (promptOf(line) !== undefined && !prompted.has(uuid)) {
        prompts += 1
        prompted.add(uuid)
      }
      const message = field(line, "message")
      const id = line["type"] === "assistant" ? text(message, "id") : undefined
      if (id === undefined || messages.has(id)) return
      messages.add(id)
      const usage = field(message, "usage")
      tokens.input += (number(usage, "input_tokens") ?? 0) +
        (number(usage, "cache_creation_input_tokens") ?? 0)
      tokens.output += number(usage, "output_tokens") ?? 0
      tokens.cached += number(usage, "cache_read_input_tokens") ?? 0
    })
    return { prompts, messages: prompts + messages.size, tokens }
  }

  /** With `only`, just this conversation: inspecting processes takes longer than reading their names. */
  const holders = (only?: string): ReadonlyMap<string, NativeHolder> => {
    const found = new Map<string, NativeHolder>()
    for (const { isFolder, name } of files.entries(`${root}/sessions`)) {
      const pid = isFolder ? Number.NaN : Number(/^(\d+)\.json$/.exec(name)?.[1])
      const entry = Number.isInteger(pid)
        ? parseLine(files.read(`${root}/sessions/${name}`, 0, 64 * 1024))
        : undefined
      const id = text(entry, "sessionId")
      if (entry === undefined || id === undefined || (only !== undefined && id !== only)) continue
      const started = files.startOf(pid)
      // The file remains if its process is killed, and pids are reused.
      if (started === undefined || files.isRelays(pid)) continue
      if (started !== "" && text(entry, "procStart") !== undefined && text(entry, "procStart") !== started) {
        continue
      }
      const state = text(entry, "status")
      const waiting_for = text(entry, "waitingFor")
      const kind = text(entry, "kind") ?? ""
      found.set(id, {
        by: kind === "bg" || kind.startsWith("daemon") ? "background" : "terminal",
        pid,
        ...(state === "idle" || state === "busy" || state === "waiting" ? { state } : {}),
        ...(waiting_for !== undefined && { waiting_for: toTitle(waiting_for) })
      })
    }
    return found
  }

  const around = ({ id, path }: NativeFile): Around => ({
    files,
    id,
    folder: path.slice(0, path.lastIndexOf("/"))
  })

  return {
    tool: "claude",
    name: "Claude Code",
    id: uuid,
    forks: true,
    forksAt: true,
    tellsHolder: true,
    files: all,
    find,
    summary,
    counts,
    *history(file, bytes) {
      const branch = yield* readBranch(files, file, Math.max(0, file.stamp.size - bytes))
      const where = around(file)
      const told = branch.lines.filter(({ type }) => type !== "attachment")
      const records = told.map((line, place) => {
        // Prompts that waited are delivered together.
        const isInTurn = line.prompt !== undefined && line.isQueued && told[place - 1]?.prompt !== undefined
        return {
          key: line.uuid,
          anchor: line.uuid,
          ts: line.ts,
          ...(line.prompt !== undefined && !isInTurn && { prompt: line.prompt }),
          read: () => translateRecord(readFields(files, file.path, line), isInTurn, where)
        }
      })
      return { records, complete: branch.complete }
    },
    holders: () => holders(),
    holder: ({ id }) => holders(id).get(id),
    command: (id) => ["claude", "--resume", id]
  }
}

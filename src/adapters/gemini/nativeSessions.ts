/**
 * nativeSessions: conversations stored by Gemini CLI in `tmp/<folder's short name>/chats/session-….jsonl`
 * (0.61), or one JSON document below the folder's SHA-256 (0.24).
 *
 * A message written again under its id replaces the first; `$rewindTo` takes it back with everything after
 * it; `$set.messages` repeats or shortens the history, so only messages not seen before count.
 */
import { createHash } from "node:crypto"
import type { EventBody } from "../../schema/index.js"
import type { FileStamp, NativeFiles, Steps } from "../native/NativeFiles.js"
import type {
  NativeCounts,
  NativeFile,
  NativeHistory,
  NativeHolder,
  NativeRecord,
  NativeStore,
  NativeSummary,
  Translated
} from "../native/NativeStore.js"
import {
  field,
  type Fields,
  findInHead,
  hasFolder,
  list,
  number,
  objects,
  parseLine,
  parseLines,
  plainText,
  readLines,
  secondsOf,
  text,
  toFields,
  toTitle,
  uuid
} from "../native/readLines.js"
import { status } from "../wire/statusEvent.js"
import { changedDiff } from "../wire/unifiedDiff.js"
import { wordsIn } from "../wire/words.js"

const fileName = /^session-\d{4}-\d\d-\d\dT\d\d-\d\d-[^/]{8}\.jsonl?$/
/** No CLI release in use ever wrote a longer JSON document. */
const longestDocument = 64 * 1024 * 1024
/**
 * A Gemini running in the folder counts as having this conversation open if it was written to within this
 * time; in ms.
 */
const lately = 10 * 60 * 1000

/** A leftover holds a line or two. */
const largestLeftover = 64 * 1024

const wordsOf = (message: Fields): string => {
  const content = message["content"]
  return typeof content === "string"
    ? content
    : list(message, "content").map((part) => {
      const fields = toFields(part)
      const isTool = fields?.["functionCall"] !== undefined || fields?.["functionResponse"] !== undefined
      return text(fields, "text") ?? (isTool ? "" : wordsIn(part) ?? "")
    }).join("")
}

/** A person's text; undefined for text that the CLI or a tool put in its place. */
const promptOf = (message: Fields): string | undefined => {
  if (message["type"] !== "user") return undefined
  if (list(message, "content").some((part) => toFields(part)?.["functionResponse"] !== undefined)) {
    return undefined
  }
  const words = wordsOf(message)
  return words === "" || /^\s*<session_context>/.test(words) ? undefined : words
}

/** Not part of a conversation: its head, or what the CLI tells the model at each start. */
const saysNothing = (line: string): boolean => {
  if (line === "") return true
  const fields = parseLine(line)
  if (fields === undefined || text(fields, "$rewindTo") !== undefined) return false
  return [fields, ...objects(field(fields, "$set"), "messages"), ...objects(fields, "messages")].every((
    message
  ) => message["type"] === undefined || (message["type"] === "user" && promptOf(message) === undefined))
}

const outputOf = (call: Fields): string => {
  const [result] = list(call, "result")
  const response = field(field(toFields(result), "functionResponse"), "response")
  const told = text(response, "output") ?? text(response, "error")
  const shown = call["resultDisplay"]
  return plainText(told ?? (typeof shown === "string" ? shown : ""))
}

const toolEvents = (call: Fields): ReadonlyArray<EventBody> => {
  const tool_use_id = text(call, "id")
  const tool = text(call, "name")
  if (tool_use_id === undefined || tool === undefined) return []
  const output = outputOf(call)
  const display = field(call, "resultDisplay")
  const file_path = text(display, "filePath")
  const after = text(display, "newContent")
  const before = text(display, "originalContent")
  return [
    { type: "tool_call", tool, tool_use_id, args: call["args"] ?? {} },
    {
      type: "tool_result",
      tool_use_id,
      tool,
      status: call["status"] === "success" ? "ok" : "error",
      text: output,
      content: output
    },
    ...file_path !== undefined && after !== undefined && call["status"] === "success"
      ? [{
        type: "file_diff" as const,
        file_path,
        diff: changedDiff(file_path, before === "" ? undefined : before, after),
        tool_use_id
      }]
      : []
  ]
}

const isDone = (call: Fields) => ["success", "error", "cancelled"].includes(text(call, "status") ?? "")

const speech = (message: Fields): Translated => {
  const words = wordsOf(message)
  switch (message["type"]) {
    case "user": {
      const prompt = promptOf(message)
      return prompt === undefined ? { events: [] } : {
        events: [
          { type: "turn_start", text: prompt },
          { type: "user_message", content: [{ type: "text", text: prompt }], text: prompt }
        ]
      }
    }
    case "gemini": {
      const tokens = field(message, "tokens")
      const thoughts = list(message, "thoughts").map((thought): EventBody => {
        const { description = "", subject = "" } = toFields(thought) ?? {}
        return {
          type: "reasoning",
          text: subject === "" ? String(description) : `**${String(subject)}**\n${String(description)}`
        }
      })
      return {
        events: [
          ...thoughts,
          ...words === ""
            ? []
            : [{ type: "assistant_message" as const, content: [{ type: "text", text: words }], text: words }]
        ],
        ...(tokens !== undefined && {
          usage: {
            call: text(message, "id") ?? "",
            input_tokens: Math.max(0, (number(tokens, "input") ?? 0) - (number(tokens, "cached") ?? 0)),
            output_tokens: (number(tokens, "output") ?? 0) + (number(tokens, "thoughts") ?? 0),
            cached_input_tokens: number(tokens, "cached") ?? 0
          }
        })
      }
    }
    case "info":
      return { events: words === "" ? [] : [status("info", plainText(words))] }
    case "warning":
      return { events: words === "" ? [] : [status("warning", plainText(words))] }
    case "error":
      return { events: [{ type: "error", code: "turn_failed", text: plainText(words) }] }
    default:
      return { events: [] }
  }
}

/** A message: its text, then each finished tool. `find` gives the last written version. */
const toRecords = (message: Fields, find: () => Fields): ReadonlyArray<NativeRecord> => {
  const id = text(message, "id")
  const ts = secondsOf(message["timestamp"]) ?? 0
  if (id === undefined) return []
  const prompt = promptOf(message)
  const calls = objects(message, "toolCalls").filter(isDone)
  return [
    { key: id, ts, ...(prompt !== undefined && { prompt }), read: () => speech(find()) },
    ...calls.flatMap((call): ReadonlyArray<NativeRecord> => {
      const name = text(call, "id")
      return name === undefined ? [] : [{
        key: `${id} ${name}`,
        ts: secondsOf(call["timestamp"]) ?? ts,
        read: () => {
          const now = objects(find(), "toolCalls")
            .find((call) => text(call, "id") === name)
          return { events: now === undefined ? [] : toolEvents(now) }
        }
      }]
    })
  ]
}

export const makeStore = (files: NativeFiles): NativeStore => {
  const home = files.variable("GEMINI_CLI_HOME") ?? files.home
  const root = `${home}/.gemini`
  const tmp = `${root}/tmp`

  /**
   * Folders by the name of their conversations' folder; old names are hashes, readable only by matching known
   * folders.
   */
  const folderOf = (name: string, roots: ReadonlyArray<string>): string | undefined => {
    const written = files.read(`${tmp}/${name}/.project_root`, 0, 4096).toString("utf8").trim()
    if (written !== "") return written
    const known = Object.keys(
      field(parseLine(files.read(`${root}/projects.json`, 0, 1024 * 1024)), "projects") ?? {}
    )
    return [...known, ...roots].find((folder) => createHash("sha256").update(folder).digest("hex") === name)
  }

  /** A file's name holds only eight characters of the id; the id never changes within a file. */
  const ids = new Map<string, string>()
  const idOf = (path: string, { dev, ino }: FileStamp): string | undefined => {
    const file = `${dev}:${ino}:${path}`
    const known = ids.get(file)
    if (known !== undefined) return known
    const found = /"sessionId"\s*:\s*"([^"]+)"/.exec(files.read(path, 0, 1024).toString("utf8"))?.[1]
    if (found !== undefined && uuid.test(found)) ids.set(file, found)
    return found !== undefined && uuid.test(found) ? found : undefined
  }

  const filesIn = (name: string): ReadonlyArray<NativeFile> =>
    (hasFolder(files, `${tmp}/${name}`, "chats") ? files.entries(`${tmp}/${name}/chats`) : []).flatMap(
      (entry) => {
        const path = `${tmp}/${name}/chats/${entry.name}`
        const stamp = !entry.isFolder && fileName.test(entry.name) ? files.stamp(path) : undefined
        const id = stamp === undefined ? undefined : idOf(path, stamp)
        return id === undefined || stamp === undefined ? [] : [{ id, path, stamp }]
      }
    )

  const isEmpty = ({ path, stamp }: NativeFile): boolean =>
    path.endsWith(".jsonl") && stamp.size <= largestLeftover
    && files.read(path, 0, stamp.size).toString("utf8").split("\n").every(saysNothing)

  /** A conversation may have several files with the same id; those that were opened and abandoned are empty. */
  const fullest = (found: ReadonlyArray<NativeFile>): ReadonlyArray<NativeFile> => {
    const byId = new Map<string, NativeFile>()
    for (const file of found) {
      const other = byId.get(file.id)
      const isMore = other === undefined
        || (isEmpty(other) !== isEmpty(file) ? isEmpty(other) : other.stamp.size < file.stamp.size)
      if (isMore) byId.set(file.id, file)
    }
    return [...byId.values()]
  }

  function* all(): Steps<ReadonlyArray<NativeFile>> {
    const found: Array<NativeFile> = []
    for (const { isFolder, name } of files.entries(tmp)) {
      if (!isFolder) continue
      found.push(...filesIn(name))
      yield
    }
    return fullest(found)
  }

  function* messagesOf({ path, stamp }: NativeFile, from: number): Steps<{
    readonly messages: ReadonlyMap<string, { readonly fields: Fields; readonly find: () => Fields }>
  }> {
    const messages = new Map<string, { readonly fields: Fields; readonly find: () => Fields }>()
    const add = (fields: Fields, find: () => Fields) => {
      const id = text(fields, "id")
      if (id !== undefined) messages.set(id, { fields: slim(fields), find })
    }
    if (path.endsWith(".json")) {
      const document = stamp.size > longestDocument ? undefined : parseLine(files.read(path, 0, stamp.size))
      for (const message of list(document, "messages")) {
        const fields = toFields(message)
        if (fields !== undefined) add(fields, () => fields)
      }
      return { messages }
    }
    yield* readLines(files, path, from, stamp.size, (bytes, at) => {
      const line = parseLine(bytes)
      if (line === undefined) return
      const back = text(line, "$rewindTo")
      if (back !== undefined) {
        const all = [...messages.keys()]
        // An unknown message means the beginning, as in Gemini.
        for (const id of all.slice(Math.max(0, all.indexOf(back)))) messages.delete(id)
      }
      const change = field(line, "$set")
      if (change !== undefined) {
        const told = objects(change, "messages")
        // For a part of the file: list entries before the known ones came before this part.
        const known = from === 0 ? -1 : told.findLastIndex((fields) => messages.has(text(fields, "id") ?? ""))
        for (const fields of told.slice(known + 1)) {
          const id = text(fields, "id")
          if (id !== undefined && !messages.has(id)) add(fields, () => fields)
        }
        return
      }
      const { length } = bytes
      if (text(line, "id") !== undefined) add(line, () => parseLine(files.read(path, at, length)) ?? {})
    })
    return { messages }
  }

  /** What is kept of a message: not its tools' output. */
  const slim = ({ content, id, model, timestamp, toolCalls, tokens, type }: Fields): Fields => ({
    id,
    timestamp,
    type,
    // A tool's output is a user line too and may be large.
    content: promptOf({ type, content }) === undefined ? undefined : content,
    model,
    tokens,
    toolCalls: (Array.isArray(toolCalls) ? toolCalls : []).map((call) => {
      const { id, status, timestamp } = toFields(call) ?? {}
      return { id, status, timestamp }
    })
  })

  const summary = ({ path, stamp }: NativeFile): NativeSummary | undefined => {
    const name = path.slice(tmp.length + 1).split("/", 1)[0] ?? ""
    const folder = folderOf(name, [files.home])
    if (folder === undefined) return undefined
    const bytes = 64 * 1024
    const isDocument = path.endsWith(".json")
    const head = isDocument && stamp.size <= longestDocument
      ? objects(parseLine(files.read(path, 0, stamp.size)), "messages")
      : parseLines(files.read(path, 0, bytes).toString("utf8").split("\n"))
    const tail = isDocument || stamp.size <= bytes
      ? head
      : parseLines(files.read(path, stamp.size - bytes, bytes).toString("utf8").split("\n"))
    if (head.some((line) => line["kind"] === "subagent")) return undefined
    const promptIn = (lines: ReadonlyArray<Fields>) =>
      lines.map(promptOf).find((words) => words !== undefined)
    const prompt = promptIn(head)
      // A first prompt may be long.
      ?? (head === tail ? undefined : findInHead(files, path, stamp, promptIn))
    if (prompt === undefined) return undefined
    const both = [...head, ...tail]
    const last = <A>(pick: (line: Fields) => A | undefined) =>
      both.map(pick).findLast((found) => found !== undefined)
    const made = last((line) => text(field(line, "$set"), "summary") ?? text(line, "summary"))
    const model = last((line) => text(line, "model"))
    const created_at = secondsOf(head[0]?.["startTime"]) ?? secondsOf(head[0]?.["timestamp"])
    return {
      folder,
      title: toTitle(made ?? prompt),
      title_by: made === undefined ? "prompt" : "agent",
      first_prompt: toTitle(prompt),
      last_active_at: last((line) => secondsOf(line["timestamp"])) ?? stamp.mtime / 1000,
      ...(created_at !== undefined && { created_at }),
      ...(model !== undefined && { model })
    }
  }

  function* counts(file: NativeFile): Steps<NativeCounts> {
    const { messages } = yield* messagesOf(file, 0)
    let prompts = 0
    let answers = 0
    const sum = { input: 0, output: 0, cached: 0 }
    for (const { fields } of messages.values()) {
      if (promptOf(fields) !== undefined) prompts += 1
      if (fields["type"] !== "gemini") continue
      answers += 1
      const tokens = field(fields, "tokens")
      const cached = number(tokens, "cached") ?? 0
      sum.input += Math.max(0, (number(tokens, "input") ?? 0) - cached)
      sum.output += (number(tokens, "output") ?? 0) + (number(tokens, "thoughts") ?? 0)
      sum.cached += cached
    }
    return { prompts, messages: prompts + answers, tokens: sum }
  }

  function* history(file: NativeFile, bytes: number): Steps<NativeHistory> {
    const from = file.path.endsWith(".json") ? 0 : Math.max(0, file.stamp.size - bytes)
    const { messages } = yield* messagesOf(file, from)
    return {
      records: [...messages.values()].flatMap(({ fields, find }) => toRecords(fields, find)),
      complete: from === 0
    }
  }

  const isGemini = ({ argv }: { readonly argv: ReadonlyArray<string> }) =>
    argv.slice(0, 3).some((word) => /(?:^|\/)gemini(?:\.js)?$/.test(word) || /@google\/gemini-cli/.test(word))

  /** Folders in which a Gemini is running; it does not report which conversations it has open. */
  const openFolders = () => new Map(files.programs().filter(isGemini).map(({ folder, pid }) => [folder, pid]))

  /**
   * Files `gemini --resume` creates beside the one it continues: same id, no content. Once the conversation
   * was written to later, Gemini no longer needs them.
   */
  const leftovers = (file: NativeFile): ReadonlyArray<NativeFile> => {
    const name = file.path.slice(tmp.length + 1).split("/", 1)[0] ?? ""
    return filesIn(name).filter((other) =>
      other.id === file.id && other.path !== file.path && other.path.endsWith(`-${file.id.slice(0, 8)}.jsonl`)
      && other.stamp.mtime < file.stamp.mtime && isEmpty(other)
    )
  }

  return {
    tool: "gemini",
    name: "Gemini CLI",
    id: uuid,
    forks: false,
    tellsHolder: false,
    files: all,
    *find(id) {
      return uuid.test(id) ? (yield* all()).find((file) => file.id === id) : undefined
    },
    summary,
    counts,
    history,
    holders: () => new Map<string, NativeHolder>(),
    holder: ({ stamp }, folder) => {
      const pid = openFolders().get(folder)
      return pid !== undefined && files.now() - stamp.mtime < lately ? { by: "unknown", pid } : undefined
    },
    command: (id) => ["gemini", "--resume", id],
    keepCopy: true,
    leftovers,
    warning:
      "Gemini CLI deletes a conversation that was resumed this way at its next start in the folder, unless its setting "
      + "general.sessionRetention.enabled is false (google-gemini/gemini-cli#27368). Hand the session over first: then "
      + "the relay keeps a copy, and prevents it while the session stays open."
  }
}

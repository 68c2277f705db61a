/**
 * nativeSessions: conversations stored by Codex in `sessions/YYYY/MM/DD/rollout-<time>-<id>.jsonl` below its
 * home (formats of 0.42 to 0.171), and the process that has each open: an flock on
 * `thread-writer-locks/<id>.lock`.
 */
import { createHash } from "node:crypto"
import type { NativeFiles, Steps } from "../native/NativeFiles.js"
import type {
  NativeCounts,
  NativeFile,
  NativeHistory,
  NativeHolder,
  NativeOrigin,
  NativeRecord,
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
  toFields,
  toTitle,
  uuid
} from "../native/readLines.js"
import { promptOf, toItem, translateRecord } from "./nativeRecord.js"

const fileName = /^rollout-\d{4}-\d\d-\d\dT[\d-]{8}-([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.jsonl$/
/** Codex can read these, the relay cannot: their folder is unknown. */
const packedName = /^rollout-[\dT-]{19}-([0-9a-f-]{36})\.jsonl\.\w+$/
/** How many levels of copies of copies are followed. */
const mostAncestors = 20
/** In bytes. */
const longestPidFile = 64 * 1024

/** A person's text in an event, if any. */
const wordsOf = (line: Fields): string | undefined => {
  const payload = line["type"] === "event_msg" ? field(line, "payload") : undefined
  if (payload?.["type"] === "user_message") return text(payload, "message")
  const item = payload?.["type"] === "item_completed" ? field(payload, "item") : undefined
  const converted = item?.["type"] === "UserMessage" ? toItem(item) : undefined
  return converted === undefined ? undefined : promptOf(converted)
}

/** Lines with content for people, by their first bytes; others may be long and are not read. */
const told = /"type":"(?:event_msg|response_item)"/

const originOf = (meta: Fields): NativeOrigin | undefined => {
  const originator = text(meta, "originator") ?? ""
  return originator.startsWith("codex-tui") || originator === "codex_cli_rs"
    ? "terminal"
    : originator === "codex_exec"
    ? "headless"
    : originator.includes("vscode")
    ? "ide"
    : undefined
}

interface OwnRecord extends NativeRecord {
  /** Absent in old rollouts, whose lines are not numbered. */
  readonly ordinal: number | undefined
  /** Byte offset of the line's start. */
  readonly at: number
}

export const makeStore = (files: NativeFiles): NativeStore => {
  const root = files.variable("CODEX_HOME") ?? `${files.home}/.codex`

  const filesIn = (folder: string, archived: boolean): ReadonlyArray<NativeFile> =>
    files.entries(folder).flatMap(({ isFolder, name }) => {
      const id = isFolder ? undefined : fileName.exec(name)?.[1]
      const path = `${folder}/${name}`
      const stamp = id === undefined ? undefined : files.stamp(path)
      return id === undefined || stamp === undefined || stamp.size === 0
        ? []
        : [{ id, path, stamp, ...(archived && { archived }) }]
    })

  function* days(): Steps<ReadonlyArray<string>> {
    const foldersIn = (folder: string) =>
      files.entries(folder).flatMap(({ isFolder, name }) =>
        isFolder && /^\d+$/.test(name) ? [`${folder}/${name}`] : []
      )
    const found: Array<string> = []
    for (const month of foldersIn(`${root}/sessions`).flatMap(foldersIn)) {
      found.push(...foldersIn(month))
      yield
    }
    return found
  }

  function* all(): Steps<ReadonlyArray<NativeFile>> {
    const found: Array<NativeFile> = [...filesIn(`${root}/archived_sessions`, true)]
    for (const day of yield* days()) {
      found.push(...filesIn(day, false))
      yield
    }
    return found
  }

  /** A thread's id contains its start time, but the time zone of its folder's name is unknown. */
  function* find(id: string): Steps<NativeFile | undefined> {
    if (!uuid.test(id)) return undefined
    const found: Array<NativeFile> = []
    const look = (folder: string, archived: boolean) => {
      for (const { isFolder, name } of files.entries(folder)) {
        const stamp = !isFolder && (fileName.exec(name) ?? packedName.exec(name))?.[1] === id
          ? files.stamp(`${folder}/${name}`)
          : undefined
        if (stamp !== undefined) {
          found.push({ id, path: `${folder}/${name}`, stamp, ...(archived && { archived }) })
        }
      }
    }
    for (const day of yield* days()) {
      look(day, false)
      yield
    }
    if (found.length === 0) look(`${root}/archived_sessions`, true)
    return found.toSorted((a, b) => b.stamp.mtime - a.stamp.mtime)[0]
  }

  const metaOf = (path: string): Fields | undefined => {
    for (const bytes of [64 * 1024, 1024 * 1024]) {
      const head = files.read(path, 0, bytes)
      const begin = head.findIndex((byte) => byte !== 10 && byte !== 13)
      const end = head.indexOf(10, begin)
      if (end === -1 && head.length === bytes) continue
      const line = parseLine(head.subarray(Math.max(0, begin), end === -1 ? head.length : end))
      return line?.["type"] === "session_meta" ? field(line, "payload") : undefined
    }
    return undefined
  }

  let names:
    | { readonly size: number; readonly mtime: number; readonly byId: ReadonlyMap<string, string> }
    | undefined
  const nameOf = (id: string): string | undefined => {
    const path = `${root}/session_index.jsonl`
    const stamp = files.stamp(path)
    if (stamp === undefined) return undefined
    if (names?.size !== stamp.size || names.mtime !== stamp.mtime) {
      const byId = new Map<string, string>()
      for (
        const line of files.read(path, 0, Math.min(stamp.size, 8 * 1024 * 1024)).toString("utf8").split("\n")
      ) {
        const fields = parseLine(line)
        const [thread, name] = [text(fields, "id"), text(fields, "thread_name")]
        if (thread !== undefined && name !== undefined) byId.set(thread, name)
      }
      names = { ...stamp, byId }
    }
    return names?.byId.get(id)
  }

  const summary = ({ id, path, stamp }: NativeFile): NativeSummary | undefined => {
    const meta = metaOf(path)
    const folder = text(meta, "cwd")
    const isSubagent = text(meta, "thread_source") === "subagent" ||
      toFields(meta?.["source"])?.["subagent"] !== undefined
    if (meta === undefined || folder === undefined || isSubagent) return undefined
    const { head: first, tail: last } = endsOf(files, path, stamp)
    const head = parseLines(first)
    const tail = parseLines(last)
    const promptIn = (lines: ReadonlyArray<Fields>) =>
      lines.map(wordsOf).find((words) => words !== undefined && words !== "")
    const name = nameOf(id)
    const prompt = promptIn(head)
      // A first prompt may be long and follow long settings.
      ?? (first === last ? undefined : findInHead(files, path, stamp, promptIn))
    if (prompt === undefined && name === undefined) return undefined
    const model = [...head, ...tail].map((line) =>
      line["type"] === "turn_context" ? text(field(line, "payload"), "model") : undefined
    ).findLast((model) => model !== undefined)
    const created_at = secondsOf(meta["timestamp"])
    const branch = text(field(meta, "git"), "branch")
    const origin = originOf(meta)
    const title = name ?? prompt
    return {
      folder,
      last_active_at: secondsOf(tail.findLast((line) => text(line, "timestamp") !== undefined)?.["timestamp"])
        ?? stamp.mtime / 1000,
      ...(title !== undefined && {
        title: toTitle(title),
        title_by: name === undefined || name === prompt ? "prompt" as const : "user" as const
      }),
      ...(prompt !== undefined && { first_prompt: toTitle(prompt) }),
      ...(created_at !== undefined && { created_at }),
      ...(model !== undefined && { model }),
      ...(branch !== undefined && { branch }),
      ...(origin !== undefined && { origin })
    }
  }

  function* counts({ path, stamp }: NativeFile): Steps<NativeCounts> {
    let prompts = 0
    let messages = 0
    let tokens: NativeCounts["tokens"]
    yield* readLines(files, path, 0, stamp.size, (bytes) => {
      if (!bytes.subarray(0, 200).includes("\"type\":\"event_msg\"")) return
      const start = bytes.subarray(0, 400).toString("latin1")
      const isCount = start.includes("\"type\":\"token_count\"")
      const isItem = start.includes("\"type\":\"item_completed\"")
      if (!isCount && !isItem && !/"type":"(?:user_message|agent_message)"/.test(start)) return
      if (isItem && !/"type":"(?:UserMessage|AgentMessage)"/.test(bytes.toString("latin1"))) return
      const line = parseLine(bytes)
      const payload = field(line, "payload")
      if (isCount) {
        const total = field(field(payload, "info"), "total_token_usage")
        const cached = number(total, "cached_input_tokens") ?? 0
        if (total !== undefined) {
          tokens = {
            input: Math.max(0, (number(total, "input_tokens") ?? 0) - cached),
            output: number(total, "output_tokens") ?? 0,
            cached
          }
        }
        return
      }
      messages += 1
      if (line !== undefined && wordsOf(line) !== undefined) prompts += 1
    })
    return { prompts, messages, ...(tokens !== undefined && { tokens }) }
  }

  function* own(
    file: NativeFile,
    from: number,
    isLegacy: boolean
  ): Steps<ReadonlyArray<OwnRecord>> {
    const records: Array<OwnRecord> = []
    /** A line written twice counts once. */
    const met = new Set<string | number>()
    /** In old rollouts only a person's text marks the start of a turn. */
    let hasTasks = false
    let isPrompted = false
    let turn: string | undefined
    yield* readLines(files, file.path, from, file.stamp.size, (bytes, at) => {
      if (!told.test(bytes.subarray(0, 200).toString("latin1"))) return
      const line = parseLine(bytes)
      const payload = field(line, "payload")
      if (line === undefined || payload === undefined) return
      if (payload["type"] === "task_started") {
        hasTasks = true
        turn = text(payload, "turn_id") ?? text(field(payload, "turn_attribution"), "turn_id")
        isPrompted = false
        return
      }
      if (!isLegacy && line["type"] === "response_item") return
      const ordinal = number(line, "ordinal")
      const which = ordinal ?? createHash("md5").update(bytes).digest("base64")
      if (met.has(which)) return
      met.add(which)
      const prompt = wordsOf(line)
      const isFirst = prompt !== undefined && !(hasTasks && isPrompted)
      if (prompt !== undefined) isPrompted = true
      const { length } = bytes
      records.push({
        key: text(field(payload, "item"), "id") ?? String(at),
        ordinal,
        at,
        ts: secondsOf(line["timestamp"]) ?? 0,
        ...(isFirst && { prompt: prompt ?? "" }),
        ...(turn !== undefined && { anchor: turn }),
        read: () => translateRecord(parseLine(files.read(file.path, at, length)) ?? {}, isFirst, isLegacy)
      })
    })
    return records
  }

  function* history(
    file: NativeFile,
    bytes: number,
    mayTell: (folder: string) => boolean = () => true
  ): Steps<NativeHistory> {
    let records: Array<NativeRecord> = []
    let before = Number.POSITIVE_INFINITY
    let beforeByte = Number.POSITIVE_INFINITY
    let from = Math.max(0, file.stamp.size - bytes)
    let wanted: NativeFile | undefined = file
    // A copy holds only its own part and names the point up to which the rest is another's.
    for (let depth = 0; wanted !== undefined && depth < mostAncestors; depth += 1) {
      const meta = metaOf(wanted.path)
      if (wanted !== file && !mayTell(text(meta, "cwd") ?? "")) break
      const found: ReadonlyArray<OwnRecord> = yield* own(
        wanted,
        from,
        text(meta, "history_mode") !== "paginated"
      )
      const isCopied = wanted !== file
      records = [
        ...found.filter(({ at, ordinal }) => ordinal === undefined ? at < beforeByte : ordinal < before)
          // Positions in two files may be equal.
          .map((record) => isCopied ? { ...record, key: `${wanted?.id}:${record.key}` } : record),
        ...records
      ]
      if (from > 0) return { records, complete: false }
      const base = field(meta, "history_base")
      const thread = text(base, "thread_id")
      before = number(base, "end_ordinal_exclusive") ?? Number.POSITIVE_INFINITY
      beforeByte = number(base, "end_byte_offset") ?? Number.POSITIVE_INFINITY
      wanted = thread === undefined ? undefined : yield* find(thread)
      from = 0
    }
    return { records, complete: true }
  }

  /** The program to which terminals of 0.171 and newer leave their threads. */
  const daemonPid = (): number | undefined =>
    number(parseLine(files.read(`${root}/app-server-daemon/daemon.pid`, 0, longestPidFile)), "pid")
  const socketPath = `${root}/app-server-control/app-server-control.sock`

  const holders = (): ReadonlyMap<string, NativeHolder> => {
    const found = new Map<string, NativeHolder>()
    for (const { isFolder, name } of files.entries(`${root}/thread-writer-locks`)) {
      const id = isFolder ? undefined : /^(.+)\.lock$/.exec(name)?.[1]
      const stamp = id === undefined ? undefined : files.stamp(`${root}/thread-writer-locks/${name}`)
      const pid = stamp === undefined ? undefined : files.lockHolder(stamp)
      if (id !== undefined && pid !== undefined && !files.isRelays(pid)) {
        found.set(id, { by: "terminal", pid })
      }
    }
    return found
  }

  return {
    tool: "codex",
    name: "Codex",
    id: uuid,
    forks: false,
    forksAt: true,
    tellsHolder: true,
    files: all,
    find,
    summary,
    counts,
    history,
    holders,
    holder: ({ id }) => {
      const stamp = files.stamp(`${root}/thread-writer-locks/${id}.lock`)
      const pid = stamp === undefined ? undefined : files.lockHolder(stamp)
      return pid === undefined || files.isRelays(pid) ? undefined : { by: "terminal", pid }
    },
    join: ({ id }) => {
      const stamp = files.stamp(`${root}/thread-writer-locks/${id}.lock`)
      const pid = stamp === undefined ? undefined : files.lockHolder(stamp)
      return pid === undefined || pid !== daemonPid() ? undefined : files.socket(socketPath)
    },
    command: (id) => ["codex", "resume", id]
  }
}

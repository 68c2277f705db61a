/**
 * nativeFile: reads a conversation's own file, as stored by its agent, for `ai-relay import`: a Claude Code
 * transcript, a Codex rollout or a Gemini CLI chat, at any path and also copied from another machine.
 */
import { Result } from "effect"
import { makeStore as claude } from "../claude/nativeSessions.js"
import { makeStore as codex } from "../codex/nativeSessions.js"
import { makeStore as gemini } from "../gemini/nativeSessions.js"
import { type NativeFiles, runSteps } from "../native/NativeFiles.js"
import type { NativeFile } from "../native/NativeStore.js"
import * as NativeTurns from "../native/NativeTurns.js"
import { field, type Fields, parseLine, parseLines, text, toFields } from "../native/readLines.js"
import { status } from "../wire/statusEvent.js"
import type { Recorded, RecordedEvent } from "./readTranscripts.js"

const stores = { claude, codex, gemini } as const
/** The agent's tool. */
export type NativeKind = keyof typeof stores

export const agentNames: Readonly<Record<NativeKind, string>> = {
  claude: "Claude Code",
  codex: "Codex",
  gemini: "Gemini CLI"
}

/** The agent whose lines these are; undefined if unknown. */
export const nativeKindOf = (fields: Fields): NativeKind | undefined => {
  const type = text(fields, "type")
  if (typeof fields["ts"] === "number" || "session_id" in fields || "jsonrpc" in fields) return undefined
  if (
    type !== undefined && text(fields, "timestamp") !== undefined && toFields(fields["payload"]) !== undefined
  ) {
    return "codex"
  }
  if (text(fields, "sessionId") !== undefined) {
    if ("projectHash" in fields) return "gemini"
    if (type !== undefined) return "claude"
  }
  return (type === "summary" && "leafUuid" in fields) || type === "file-history-snapshot"
    ? "claude"
    : undefined
}

/** Determined by the first line that identifies it. `head`: the beginning of the file. */
export const nativeKindIn = (head: string, isWhole: boolean): NativeKind | undefined => {
  const lines = head.split("\n")
  for (const line of parseLines(isWhole ? lines : lines.slice(0, -1))) {
    const kind = nativeKindOf(line)
    if (kind !== undefined) return kind
    if (typeof line["ts"] === "number") return undefined
  }
  // One document: Gemini CLI 0.24 and older.
  return /^\s*\{/.test(head) && /"sessionId"\s*:\s*"/.test(head) && /"projectHash"\s*:/.test(head)
    ? "gemini"
    : undefined
}

const ids: Readonly<Record<NativeKind, RegExp>> = {
  claude: /"sessionId"\s*:\s*"([^"]+)"/,
  codex: /"type"\s*:\s*"session_meta".*?"id"\s*:\s*"([^"]+)"/,
  gemini: /"sessionId"\s*:\s*"([^"]+)"/
}

/** Claude Code marks each line of a subagent, Codex its first. */
const isSubagents = (head: string): boolean => {
  const lines = parseLines(head.split("\n"))
  const meta = field(lines.find((line) => line["type"] === "session_meta"), "payload")
  return lines.find((line) => "isSidechain" in line)?.["isSidechain"] === true
    || text(meta, "thread_source") === "subagent" || toFields(meta?.["source"])?.["subagent"] !== undefined
}

/**
 * `path`: a regular file owned by the user. Fails with the reason and advice if it cannot be read as a
 * conversation.
 */
export const readNativeFile = (
  files: NativeFiles,
  path: string,
  kind: NativeKind
): Result.Result<Recorded, string> => {
  const stamp = files.stamp(path)
  if (stamp === undefined) {
    return Result.fail("is not a regular file that belongs to you: copy it, then import the copy")
  }
  const head = files.read(path, 0, 1024 * 1024).toString("utf8")
  const name = /([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.jsonl$/.exec(path)?.[1]
  const id = name ?? ids[kind].exec(head)?.[1] ?? ""
  if (isSubagents(head)) {
    return Result.fail("is a subagent's conversation: import the conversation that started it")
  }
  if (
    kind === "gemini" && path.endsWith(".json") && parseLine(files.read(path, 0, stamp.size)) === undefined
  ) {
    return Result.fail("is not a complete JSON document: it was cut off, so copy it again from its source")
  }
  const store = stores[kind](files)
  const file: NativeFile = { id, path, stamp }
  const turns = NativeTurns.make()
  const { records } = runSteps(store.history(file, Number.POSITIVE_INFINITY))
  const events: ReadonlyArray<RecordedEvent> = [
    ...records.flatMap((record) => turns.push(record)),
    ...turns.finish()
  ]
  const first = events[0]
  if (first === undefined || !events.some(({ event }) => event.type === "turn_start")) {
    return Result.fail(
      `is a file of ${
        agentNames[kind]
      } in which nothing was said: leave it out, or look whether it was copied whole`
    )
  }
  const summary = store.summary(file)
  // Gemini records the folder beside the chats.
  const beside = files.read(path.replace(/\/chats\/[^/]*$/, "/.project_root"), 0, 4096).toString("utf8")
    .trim()
  const folder = summary?.folder ??
    (kind === "gemini" && path.includes("/chats/") && beside !== "" ? beside : undefined)
  const opened = {
    ...(folder !== undefined && { folder }),
    ...(summary?.model !== undefined && { model: summary.model })
  }
  return Result.succeed({
    session_id: id,
    by: "agent",
    tool: kind,
    ...opened,
    events: [
      { event: { type: "session_start", metadata: { tool: kind, ...opened } }, ts: first.ts },
      ...(id === ""
        ? []
        : [{ event: status("native_session", undefined, { native_session_id: id }), ts: first.ts }]),
      ...events
    ],
    lines: events.map((event) => JSON.stringify(event))
  })
}

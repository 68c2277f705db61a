/**
 * readTranscripts: what stands in files that somebody wants to keep as sessions: recordings of this relay (`--record`, the
 * journal's own files, `ai-relay sessions export`, frames a client has saved) and frames of the Python relay.
 *
 * All lines are looked at before anything is made of them: the first that is none is told with its number. Events of one
 * session belong together, whatever file they stand in.
 */
import { Result, Schema } from "effect"
import { RelayEvent } from "../../schema/index.js"
import type { TimedEvent } from "../native/NativeTurns.js"
import { field, type Fields, number, parseLine, text } from "../native/readLines.js"
import { toHistory } from "./pythonTranscript.js"

/** A file's lines, with a name for people. */
export interface TranscriptLines {
  readonly name: string
  readonly lines: Iterable<string>
}

/** A session as it was recorded. */
export interface Recorded {
  /** As it is written; of the Python relay it may be any text. */
  readonly session_id: string
  /** Which relay recorded it. */
  readonly by: "relay" | "python"
  /** What it was opened with, as far as that was recorded. */
  readonly tool?: string
  readonly folder?: string
  readonly model?: string
  readonly events: ReadonlyArray<RecordedEvent>
  /** The lines it was made of, to tell it from another of its name. */
  readonly lines: ReadonlyArray<string>
}

export interface RecordedEvent extends TimedEvent {
  /** JSON of the native message. */
  readonly raw?: string
}

/** Why files are no transcripts: the first line that is none. */
export interface BadLine {
  readonly name: string
  readonly line: number
  /** What it is, and what to do. */
  readonly reason: string
}

interface Line {
  readonly text: string
  readonly fields: Fields
}

interface Group {
  readonly by: "relay" | "python"
  readonly lines: Array<Line>
}

const isEvent = Schema.is(RelayEvent)

/** The agents' own files are no recordings; their conversations are listed without being imported. */
const foreign = (fields: Fields): string | undefined => {
  const agent = "sessionId" in fields && "uuid" in fields
    ? "Claude Code"
    : "payload" in fields && "timestamp" in fields
    ? "Codex"
    : "sessionId" in fields && "projectHash" in fields
    ? "Gemini CLI"
    : undefined
  return agent === undefined ?
    undefined :
    `is of a conversation ${agent} keeps itself. It need not be imported: `
    + "the console lists it under \"Continue from your terminal\""
}

const cut = "if the recording was cut off there, remove the line and import again"

const whyBad = (fields: Fields | undefined): string | undefined => {
  if (fields === undefined) return `is no JSON object: ${cut}`
  const type = text(fields, "type")
  if (type === undefined || number(fields, "ts") === undefined) {
    return foreign(fields) ??
      "is no event of a relay (it needs `type` and `ts`): import what `--record`, `ai-relay sessions export`"
        + " or the Python relay wrote, an event per line"
  }
  if ("seq" in fields && !isEvent(fields)) {
    return `is no "${type}" event as this relay records it: compare it with docs/protocol.md, or remove the line`
  }
  return undefined
}

const noId = ""

/** By session, in the order they come. An event of the Python relay without a session belongs to the one around it. */
const group = (files: ReadonlyArray<TranscriptLines>): Result.Result<ReadonlyMap<string, Group>, BadLine> => {
  const groups = new Map<string, Group>()
  for (const { lines, name } of files) {
    let number = 0
    let current = noId
    const early: Array<Line> = []
    const add = (by: Group["by"], id: string, line: Line) => {
      const known = groups.get(id)
      if (known === undefined) groups.set(id, { by, lines: [line] })
      else known.lines.push(line)
      return known === undefined || known.by === by
    }
    for (const text of lines) {
      number += 1
      if (text.trim() === "") continue
      const fields = parseLine(text)
      const reason = whyBad(fields)
      if (fields === undefined || reason !== undefined) {
        return Result.fail({ name, line: number, reason: reason ?? "is no JSON object" })
      }
      const by = "seq" in fields ? "relay" : "python"
      const id = typeof fields["session_id"] === "string" ? fields["session_id"] : noId
      if (by === "python" && id === noId && current === noId) {
        early.push({ text, fields })
        continue
      }
      current = id === noId ? current : id
      for (const line of early.splice(0)) add("python", current, line)
      if (!add(by, current, { text, fields })) {
        const reason = `belongs to the session "${current}", of which other lines come from the ${
          by === "relay" ? "Python relay" : "relay of today"
        }: import them one at a time, with --as`
        return Result.fail({ name, line: number, reason })
      }
    }
    for (const line of early) add("python", noId, line)
  }
  return Result.succeed(groups)
}

const withoutEnvelope = (
  { raw: _raw, seq: _seq, session_id: _session, ts: _ts, turn: _turn, ...event }: Fields
): TimedEvent["event"] =>
  // Checked by `isEvent`; fields of later versions stay.
  event as TimedEvent["event"]

const seqOf = ({ fields }: Line): number => number(fields, "seq") ?? 0
const tsOf = ({ fields }: Line): number => number(fields, "ts") ?? 0

/** A session of the name began anew: its numbers do, too. */
const beginsAnew = (line: Line, life: ReadonlyMap<number, Line>): boolean => {
  const first = life.get(1)
  return first !== undefined && seqOf(line) === 1 && text(line.fields, "type") === "session_start"
    && tsOf(line) !== tsOf(first)
}

/** Its lives one after another; of each every event once, in order, whatever files they were spread over. */
const inOrder = (lines: ReadonlyArray<Line>): ReadonlyArray<Line> => {
  const lives: Array<Map<number, Line>> = [new Map()]
  for (const line of lines) {
    const life = lives.at(-1)
    if (life === undefined || beginsAnew(line, life)) lives.push(new Map([[seqOf(line), line]]))
    // What only one connection was told repeats the number it stands at; before the first event that is none.
    else if (seqOf(line) > 0 && !life.has(seqOf(line))) life.set(seqOf(line), line)
  }
  return lives.flatMap((life) => [...life.values()].toSorted((left, right) => seqOf(left) - seqOf(right)))
}

/** What its first `session_start` says that says anything. */
const openedWith = (lines: ReadonlyArray<Line>): Pick<Recorded, "tool" | "folder" | "model"> => {
  for (const { fields } of lines) {
    if (text(fields, "type") !== "session_start") continue
    const metadata = field(fields, "metadata")
    const [tool, folder, model] = ["tool", "folder", "model"].map((name) => text(metadata, name) || undefined)
    if (tool === undefined && folder === undefined) continue
    return {
      ...(tool !== undefined && { tool }),
      ...(folder !== undefined && { folder }),
      ...(model !== undefined && { model })
    }
  }
  return {}
}

const toRecorded = ([session_id, { by, lines }]: readonly [string, Group]): Recorded => {
  const ordered = by === "relay" ? inOrder(lines) : lines
  const events: ReadonlyArray<RecordedEvent> = by === "relay"
    ? ordered.map((line) => ({
      event: withoutEnvelope(line.fields),
      ts: tsOf(line),
      ...("raw" in line.fields && { raw: JSON.stringify(line.fields["raw"]) })
    }))
    : toHistory(ordered.map(({ fields }) => fields))
  return { session_id, by, ...openedWith(ordered), events, lines: ordered.map(({ text }) => text) }
}

/** The sessions in these files, or the first line that is no event. */
export const readTranscripts = (
  files: ReadonlyArray<TranscriptLines>
): Result.Result<ReadonlyArray<Recorded>, BadLine> =>
  Result.map(group(files), (groups) => [...groups].map(toRecorded))

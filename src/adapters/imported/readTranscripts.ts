/**
 * readTranscripts: reads files to be stored as sessions: recordings of this relay (`--record`, the journal's
 * own files, `ai-relay sessions export`, frames saved by a client), frames of the Python relay, and agents'
 * output (`rawRecordings`).
 *
 * All lines are checked before anything is converted: the first bad one is reported with its number. Events
 * of one session are combined across files.
 */
import { Result, Schema } from "effect"
import { RelayEvent } from "../../schema/index.js"
import type { TimedEvent } from "../native/NativeTurns.js"
import { field, type Fields, number, parseLine, text } from "../native/readLines.js"
import { toHistory } from "./pythonTranscript.js"
import { type RawKind, rawKindOf, type RawLine, rawNames, toFrames, unwrap } from "./rawRecordings.js"

/** A file's lines, with a name for people. */
export interface TranscriptLines {
  readonly name: string
  readonly lines: Iterable<string>
  /** Time of the last write, in seconds since 1970, for lines without a time. */
  readonly at?: number
}

/** A recorded session. */
export interface Recorded {
  /** As recorded; in Python relay files it may be any text. */
  readonly session_id: string
  /** Recorded by this relay, the Python relay or the agent itself. */
  readonly by: "relay" | "python" | "agent"
  /** How it was opened, as far as recorded. */
  readonly tool?: string
  readonly folder?: string
  readonly model?: string
  readonly events: ReadonlyArray<RecordedEvent>
  /** Its source lines, to tell it from another session of the same name. */
  readonly lines: ReadonlyArray<string>
}

export interface RecordedEvent extends TimedEvent {
  /** JSON of the native message. */
  readonly raw?: string
}

/** Why files are not transcripts: the first bad line. */
export interface BadLine {
  readonly name: string
  readonly line: number
  /** What is wrong, and what to do. */
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

const cut = "if the recording was cut off there, remove the line and import again"

const whyBad = (fields: Fields | undefined): string | undefined => {
  if (fields === undefined) return `is no JSON object: ${cut}`
  const type = text(fields, "type")
  if (type === undefined || number(fields, "ts") === undefined) {
    return "cannot be imported: it is neither an event of a relay (`type` and `ts`) nor a line that an agent "
      + "wrote. Import what `--record`, `ai-relay sessions export`, the Python relay or an agent wrote, one item per line "
      + "(docs/operations.md lists them)"
  }
  if ("seq" in fields && !isEvent(fields)) {
    return `is not a valid "${type}" event: compare it with docs/protocol.md, or remove the line`
  }
  return undefined
}

// --- what agents print -------------------------------------------------------------------------------------------

/** Number of lines inspected to identify a file. */
const telling = 50

/** Undefined: not a recording of an agent's output; read as relay events. */
const rawKindIn = (lines: ReadonlyArray<string>): RawKind | undefined => {
  for (const line of lines.filter((line) => line.trim() !== "").slice(0, telling)) {
    const fields = parseLine(line)
    if (fields === undefined) continue
    if (number(fields, "ts") !== undefined) return undefined
    const bare = unwrap(fields)
    const kind = bare && rawKindOf(bare.fields)
    if (kind !== undefined) return kind
  }
  return undefined
}

const readRaw = (
  { at, name }: TranscriptLines,
  lines: ReadonlyArray<string>,
  kind: RawKind
): Result.Result<Recorded, BadLine> => {
  const raw: Array<RawLine> = []
  for (const [place, line] of lines.entries()) {
    if (line.trim() === "") continue
    const fail = (reason: string) => Result.fail({ name, line: place + 1, reason })
    const fields = parseLine(line)
    if (fields === undefined) return fail(`is not a JSON object, in what ${rawNames[kind]} printed: ${cut}`)
    const bare = unwrap(fields)
    if (bare === undefined) continue
    const other = number(fields, "ts") !== undefined && text(fields, "session_id") !== undefined
      ? "a relay"
      : rawNames[rawKindOf(bare.fields) ?? kind]
    if (other !== rawNames[kind]) {
      return fail(
        `is of ${other}, those before it of ${rawNames[kind]}: keep the lines of each in a file of its own`
      )
    }
    raw.push(bare)
  }
  const { frames, session_id } = toFrames(kind, raw, at ?? 0)
  const events = toHistory(frames)
  return events.some(({ event }) => event.type === "turn_start")
    ? Result.succeed({
      session_id,
      by: "agent",
      ...openedWith(frames.map((fields) => ({ text: "", fields }))),
      events,
      lines: lines.filter((line) => line.trim() !== "")
    })
    : Result.fail({
      name,
      line: 1,
      reason:
        `begins what ${
          rawNames[kind]
        } printed, and nothing was said in all of it: look whether it was recorded whole, `
        + "or leave the file out"
    })
}

// --- events of relays --------------------------------------------------------------------------------------------

const noId = ""

/** Grouped by session, in order. An event of the Python relay without a session belongs to the session around it. */
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

/** A session of the same name began again, and so did its numbers. */
const beginsAnew = (line: Line, life: ReadonlyMap<number, Line>): boolean => {
  const first = life.get(1)
  return first !== undefined && seqOf(line) === 1 && text(line.fields, "type") === "session_start"
    && tsOf(line) !== tsOf(first)
}

/** Its lives in sequence; in each, every event once, in order, whichever files hold them. */
const inOrder = (lines: ReadonlyArray<Line>): ReadonlyArray<Line> => {
  const lives: Array<Map<number, Line>> = [new Map()]
  for (const line of lines) {
    const life = lives.at(-1)
    if (life === undefined || beginsAnew(line, life)) lives.push(new Map([[seqOf(line), line]]))
    // Events sent to only one connection repeat the current number, or come before the first event.
    else if (seqOf(line) > 0 && !life.has(seqOf(line))) life.set(seqOf(line), line)
  }
  return lives.flatMap((life) => [...life.values()].toSorted((left, right) => seqOf(left) - seqOf(right)))
}

/** What the first informative `session_start` says. */
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

/** The sessions in these files, or the first line that belongs to none. */
export const readTranscripts = (
  files: ReadonlyArray<TranscriptLines>
): Result.Result<ReadonlyArray<Recorded>, BadLine> => {
  const printed: Array<Recorded> = []
  const events: Array<TranscriptLines> = []
  for (const file of files) {
    const lines = [...file.lines]
    const kind = rawKindIn(lines)
    if (kind === undefined) {
      events.push({ ...file, lines })
      continue
    }
    const read = readRaw(file, lines, kind)
    if (Result.isFailure(read)) return Result.fail(read.failure)
    printed.push(read.success)
  }
  return Result.map(group(events), (groups) => [...[...groups].map(toRecorded), ...printed])
}

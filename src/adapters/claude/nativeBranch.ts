/**
 * nativeBranch: which lines of a Claude transcript form the conversation, and in which order.
 *
 * Lines form a tree by `parentUuid`, and their order in the file is not the order of the conversation: a
 * quick first answer precedes its prompt, results of parallel tools hang beside the chain, and a rewind or a
 * second process leaves branches. `claude --resume` decides which branch continues (2.1.197, measured): the
 * last line, unless the last `last-prompt` names another leaf it does not descend from.
 */
import type { NativeFiles, Steps } from "../native/NativeFiles.js"
import type { NativeFile } from "../native/NativeStore.js"
import { field, type Fields, parseLine, readLines, secondsOf, text } from "../native/readLines.js"
import { readBlocks } from "../wire/lenient.js"
import { textOfBlocks } from "../wire/words.js"

/** What is kept of a line; the rest is read again when needed. */
export interface Line {
  readonly uuid: string
  readonly at: number
  readonly length: number
  readonly seq: number
  readonly ts: number
  readonly parent: string | undefined
  readonly type: string
  /** Shared by all lines of one model message. */
  readonly message: string | undefined
  readonly isResult: boolean
  readonly isBoundary: boolean
  /** What a person wrote here, as in a turn's text. */
  readonly prompt: string | undefined
  readonly isQueued: boolean
}

const inChain = new Set(["user", "assistant", "system", "attachment"])
/** Most of a file from early 2026, and never shown to anyone. */
const progress = Buffer.from("\"type\":\"progress\"")
const firstBytes = 96

/** The CLI's own text in a user line. */
const notSpoken =
  /^\s*(?:<(?:command-|local-command-|bash-|task-notification|system-reminder)|\[Request interrupted by user)/

export const textsOf = (content: unknown): string => textOfBlocks(readBlocks(content))

const isResult = (content: unknown) =>
  Array.isArray(content) && content.some((block: Fields) => block?.["type"] === "tool_result")

/** What a person wrote in this line; undefined if it is not a person's prompt. */
export const promptOf = (line: Fields): string | undefined => {
  if (line["type"] !== "user" || line["isMeta"] === true || line["isCompactSummary"] === true) {
    return undefined
  }
  if (line["isVisibleInTranscriptOnly"] === true || line["isSidechain"] === true) return undefined
  const kind = text(field(line, "origin"), "kind")
  if (kind !== undefined && kind !== "human") return undefined
  const content = field(line, "message")?.["content"]
  if (isResult(content)) return undefined
  const said = textsOf(content)
  return notSpoken.test(said) || (said === "" && !hasImage(content)) ? undefined : said
}

const hasImage = (content: unknown) =>
  Array.isArray(content) && content.some((block: Fields) => block?.["type"] === "image")

interface Index {
  readonly lines: ReadonlyMap<string, Line>
  /** The leaf the file names for a resume; whether a person chose it. */
  readonly named: string | undefined
  readonly isChosen: boolean
  readonly last: string | undefined
}

function* readIndex(files: NativeFiles, { path, stamp }: NativeFile, from: number): Steps<Index> {
  const lines = new Map<string, Line>()
  /** Lines removed from the chain: a line that names one as its parent gets that line's parent. */
  const skipped = new Map<string, string | undefined>()
  let named: string | undefined
  let isChosen = false
  let last: string | undefined
  let seq = 0
  const onLine = (bytes: Buffer, at: number) => {
    const isProgress = bytes.subarray(0, firstBytes).includes(progress)
    if (isProgress && bytes.length > 64 * 1024) return
    const line = parseLine(bytes)
    if (line === undefined) return
    const type = text(line, "type") ?? ""
    const uuid = text(line, "uuid")
    const parent = text(line, "parentUuid") ?? text(line, "logicalParentUuid")
    if (type === "last-prompt") {
      const leaf = text(line, "leafUuid")
      if (leaf !== undefined) {
        isChosen = line["explicit"] === true || (isChosen && leaf === named)
        named = leaf
      }
      return
    }
    if (uuid === undefined) return
    if (!inChain.has(type)) return void skipped.set(uuid, parent)
    if (line["isSidechain"] === true) return
    const isBoundary = line["subtype"] === "compact_boundary"
    if (isBoundary) {
      named = undefined
      isChosen = false
    }
    const isAgain = lines.has(uuid)
    if (!isAgain) {
      last = uuid
      isChosen = false
    }
    const message = field(line, "message")
    lines.set(uuid, {
      uuid,
      at,
      length: bytes.length,
      // A line written twice keeps its first place.
      seq: lines.get(uuid)?.seq ?? seq++,
      ts: secondsOf(line["timestamp"]) ?? 0,
      parent,
      type,
      message: type === "assistant" ? text(message, "id") : undefined,
      isResult: type === "user" && isResult(message?.["content"]),
      isBoundary,
      prompt: promptOf(line),
      isQueued: line["promptSource"] === "queued"
    })
  }
  yield* readLines(files, path, from, stamp.size, onLine)
  if (skipped.size > 0) {
    const real = (parent: string | undefined): string | undefined => {
      const met = new Set<string>()
      let at = parent
      while (at !== undefined && skipped.has(at) && !met.has(at)) {
        met.add(at)
        at = skipped.get(at)
      }
      // Thousands may hang at the end of a long run, so it is walked only once.
      for (const uuid of met) skipped.set(uuid, at)
      return at
    }
    for (const [uuid, line] of lines) lines.set(uuid, { ...line, parent: real(line.parent) })
  }
  return { lines, named, isChosen, last }
}

const leafOf = ({ isChosen, last, lines, named }: Index): Line | undefined => {
  const newest = last === undefined ? undefined : lines.get(last)
  const chosen = named === undefined ? undefined : lines.get(named)
  if (chosen === undefined || isChosen) return chosen ?? newest
  const met = new Set<Line>()
  for (let line = newest; line !== undefined && !met.has(line); line = lines.get(line.parent ?? "")) {
    if (line === chosen) return newest
    met.add(line)
  }
  return chosen
}

export interface Branch {
  readonly lines: ReadonlyArray<Line>
  /** It starts with the conversation's first message. */
  readonly complete: boolean
}

/** The conversation, as far as the bytes read contain it. */
export function* readBranch(files: NativeFiles, file: NativeFile, from: number): Steps<Branch> {
  const index = yield* readIndex(files, file, from)
  yield
  const chain: Array<Line> = []
  const met = new Set<Line>()
  const inFile = [...index.lines.values()].toSorted((a, b) => a.seq - b.seq)
  /** Where to go on looking below a place; whatever is in between was met, so nothing is looked at again and again. */
  const below = inFile.map((_, place) => place - 1)
  /** If a line is damaged, cut out or too long to read, the preceding line in the file comes before it. */
  const before = (line: Line): Line | undefined => {
    const passed = [line.seq]
    let place = line.seq - 1
    for (let found = inFile[place]; found !== undefined && met.has(found); found = inFile[place]) {
      passed.push(place)
      place = below[place] ?? -1
    }
    for (const at of passed) below[at] = place
    return inFile[place]
  }
  let line = leafOf(index)
  let above: string | undefined
  while (line !== undefined && !met.has(line)) {
    met.add(line)
    chain.push(line)
    above = line.parent
    // A copy begins in the middle of a conversation: nothing precedes that.
    line = above === undefined ? undefined : index.lines.get(above) ?? (from === 0 ? before(line) : undefined)
  }
  chain.reverse()

  // Lines of the same message, and its tool results, that hang beside the chain.
  const siblings = new Map<string, Array<Line>>()
  const results = new Map<string, Array<Line>>()
  const add = (map: Map<string, Array<Line>>, key: string, line: Line) => {
    const found = map.get(key)
    if (found === undefined) map.set(key, [line])
    else found.push(line)
  }
  for (const line of index.lines.values()) {
    if (line.message !== undefined) add(siblings, line.message, line)
    if (line.isResult && line.parent !== undefined) add(results, line.parent, line)
  }
  const lines: Array<Line> = []
  chain.forEach((line, place) => {
    lines.push(line)
    if (line.message === undefined || chain[place + 1]?.message === line.message) return
    const all = siblings.get(line.message) ?? []
    const beside = [...all, ...all.flatMap(({ uuid }) => results.get(uuid) ?? [])]
      .filter((other) => !met.has(other))
      .toSorted((a, b) => a.seq - b.seq)
    for (const other of beside) {
      met.add(other)
      lines.push(other)
    }
  })
  return { lines, complete: from === 0 || above === undefined && lines.length > 0 }
}

export const readFields = (files: NativeFiles, path: string, { at, length }: Line): Fields =>
  parseLine(files.read(path, at, length)) ?? {}

/**
 * nativeBranch: which lines of a Claude transcript are the conversation, in its order.
 *
 * Lines form a tree by `parentUuid`, and their order in the file is not that of the conversation: a quick first answer
 * stands before its prompt, results of tools that ran side by side hang beside the chain, a rewind or a second process
 * leaves branches. Which branch goes on is what `claude --resume` decides (2.1.197, measured): the last line, unless
 * the last `last-prompt` names another leaf it does not descend from.
 */
import type { NativeFiles, Steps } from "../native/NativeFiles.js"
import type { NativeFile } from "../native/NativeStore.js"
import { field, type Fields, parseLine, readLines, secondsOf, text } from "../native/readLines.js"
import { readBlocks } from "../wire/lenient.js"
import { textOfBlocks } from "../wire/words.js"

/** What is remembered of a line; the rest is read again when it is wanted. */
export interface Line {
  readonly uuid: string
  readonly at: number
  readonly length: number
  readonly seq: number
  readonly ts: number
  readonly parent: string | undefined
  readonly type: string
  /** Lines of one message of the model share it. */
  readonly message: string | undefined
  readonly isResult: boolean
  readonly isBoundary: boolean
  /** What a person said here, as a turn's text has it. */
  readonly prompt: string | undefined
  readonly isQueued: boolean
}

const inChain = new Set(["user", "assistant", "system", "attachment"])
/** Most of a file of early 2026, and nothing of it is said to anybody. */
const progress = Buffer.from("\"type\":\"progress\"")
const firstBytes = 96

/** Words of the CLI in a user's line. */
const notSpoken =
  /^\s*(?:<(?:command-|local-command-|bash-|task-notification|system-reminder)|\[Request interrupted by user)/

export const textsOf = (content: unknown): string => textOfBlocks(readBlocks(content))

const isResult = (content: unknown) =>
  Array.isArray(content) && content.some((block: Fields) => block?.["type"] === "tool_result")

/** What a person said in this line; undefined if it was somebody else, or is no prompt. */
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
  /** The leaf a resume takes, as the file says; whether a person chose it. */
  readonly named: string | undefined
  readonly isChosen: boolean
  readonly last: string | undefined
}

function* readIndex(files: NativeFiles, { path, stamp }: NativeFile, from: number): Steps<Index> {
  const lines = new Map<string, Line>()
  /** Lines that are gone from the chain: who names one as parent means its parent. */
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
      // Written again it is the same line, in its place.
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
      // Thousands may hang at the end of a long row: it is walked once.
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
  /** It begins with the first word that was said. */
  readonly complete: boolean
}

/** The conversation, as far as the file's bytes from there tell. */
export function* readBranch(files: NativeFiles, file: NativeFile, from: number): Steps<Branch> {
  const index = yield* readIndex(files, file, from)
  yield
  const chain: Array<Line> = []
  const met = new Set<Line>()
  const inFile = [...index.lines.values()].toSorted((a, b) => a.seq - b.seq)
  /** A line was spoiled, cut out, or is too long to be read: what stands before the place was said before it. */
  const before = (line: Line): Line | undefined => {
    for (let seq = Math.min(line.seq, inFile.length) - 1; seq >= 0; seq -= 1) {
      const found = inFile[seq]
      if (found !== undefined && found.seq < line.seq && !met.has(found)) return found
    }
    return undefined
  }
  let line = leafOf(index)
  let above: string | undefined
  while (line !== undefined && !met.has(line)) {
    met.add(line)
    chain.push(line)
    above = line.parent
    // A copy begins in the middle of a conversation: nothing stands before that.
    line = above === undefined ? undefined : index.lines.get(above) ?? (from === 0 ? before(line) : undefined)
  }
  chain.reverse()

  // Lines of the same message, and the results of their tools, that hang beside the chain.
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

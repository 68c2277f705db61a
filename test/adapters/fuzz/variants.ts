/**
 * variants: every message a recorded agent printed, with one field of another type, or without it.
 *
 * Messages of one kind, and list entries, are alike: of those only the first is changed, so that a few thousand variants
 * per agent try every field of every kind of message.
 */
import { type Native, readTranscript } from "../../support/transcriptSpawner.js"
import { otherTypes, typeOf } from "./fields.js"

type Step = string | number
type Path = readonly [Step, ...ReadonlyArray<Step>]

export interface Variant {
  /** Which recording, and which of its lines. */
  readonly file: string
  readonly index: number
  readonly path: Path
  /** What stands there instead; undefined: the field is missing. */
  readonly value: unknown
  /** Names it: the kind of message, the field, the other type. */
  readonly name: string
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** All places in a message; of a list only the first entry of each kind. */
const places = (value: unknown): ReadonlyArray<readonly [ReadonlyArray<Step>, unknown]> => {
  const entries: ReadonlyArray<readonly [Step, unknown]> = Array.isArray(value)
    ? firstOfKind(value)
    : isObject(value)
    ? Object.entries(value)
    : []
  return entries.flatMap(([step, inner]) => [
    [[step], inner] as const,
    ...places(inner).map(([path, value]) => [[step, ...path], value] as const)
  ])
}

const firstOfKind = (list: ReadonlyArray<unknown>): ReadonlyArray<readonly [number, unknown]> => {
  const known = new Set<unknown>()
  return list.flatMap((entry, index) => {
    const kind = isObject(entry) ? String(entry["type"] ?? "") : typeOf(entry)
    if (known.has(kind)) return []
    known.add(kind)
    return [[index, entry] as const]
  })
}

/** What kind of message it is, in the words of three protocols; `answers` has what the relay asked by id. */
const kindOf = (message: Native, answers: ReadonlyMap<unknown, string>): string =>
  [
    message?.type,
    message?.subtype,
    message?.request?.subtype,
    message?.event?.type,
    message?.event?.delta?.type,
    message?.message?.content?.[0]?.type,
    message?.isReplay === true ? "replay" : undefined,
    message?.terminal_reason,
    message?.method,
    message?.params?.item?.type,
    message?.params?.turn?.status,
    message?.params?.update?.sessionUpdate,
    message?.method === undefined && message?.id !== undefined
      ? `answer to ${answers.get(message.id)}`
      : undefined
  ].filter((word) => typeof word === "string").join(" ")

/** Another number here is an answer to nobody, or a protocol the relay does not speak. */
const isName = (path: ReadonlyArray<Step>) => path.join(".") === "id" || path.at(-1) === "protocolVersion"

const collapsed = (path: ReadonlyArray<Step>) =>
  path.map((step) => typeof step === "number" ? "0" : step).join(".")

/** All variants of some recordings, each once. */
export const variantsOf = (files: ReadonlyArray<string>): ReadonlyArray<Variant> => {
  const known = new Set<string>()
  return files.flatMap((file) => {
    const asked = new Map<unknown, string>()
    return readTranscript(file).flatMap(({ data, dir }, index) => {
      if (dir === "in") asked.set(data.id, data.method)
      if (dir !== "out") return []
      const kind = kindOf(data, asked)
      return places(data).flatMap(([path, before]) => {
        const [first, ...rest] = path
        if (first === undefined) return []
        return otherTypes(before).flatMap((value) => {
          if (isName(path) && typeof before === "number" && typeof value === "number") return []
          const other = value === undefined ? "nothing" : JSON.stringify(value)
          const name = `${kind}: ${collapsed(path)} (${typeOf(before)}) = ${other}`
          if (known.has(name)) return []
          known.add(name)
          return [{ file, index, path: [first, ...rest] as const, value, name }]
        })
      })
    })
  })
}

/** The message with the variant's field. */
export const changed = (message: Native, { path, value }: Variant): Native => {
  const copy = structuredClone(message)
  const last = path[path.length - 1] ?? path[0]
  let at = copy
  for (const step of path.slice(0, -1)) at = at[step]
  if (value === undefined && !Array.isArray(at)) Reflect.deleteProperty(at, last)
  else at[last] = value ?? null
  return copy
}

/** A sample of so many, the same each time. */
export const sample = <A>(all: ReadonlyArray<A>, count: number, seed: number): ReadonlyArray<A> => {
  // Mulberry32.
  let state = seed
  const random = () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
  return all.map((entry) => [random(), entry] as const).toSorted(([a], [b]) => a - b).slice(0, count)
    .map(([, entry]) => entry)
}

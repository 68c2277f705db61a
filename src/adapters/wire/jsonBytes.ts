/**
 * jsonBytes: reads JSON in place as bytes, for lines too numerous to be parsed.
 *
 * JSON's syntax is ASCII, so the bytes alone show where a string ends and whether it is valid: `JSON.parse`
 * would accept everything accepted here, if the whole line is UTF-8. Nothing is decoded; a long text is
 * copied once, to be scanned sixteen bytes at a time (`plainText.wat`).
 */
import { plainTextWasm } from "./plainTextWasm.js"

const quote = 0x22
const backslash = 0x5c
const letterU = 0x75

/** Characters that may follow a backslash, except `u`. */
const isEscape = (byte: number | undefined): boolean =>
  byte === quote || byte === backslash || byte === 0x2f || byte === 0x62 || byte === 0x66 || byte === 0x6e
  || byte === 0x72 || byte === 0x74

const isHex = (byte: number | undefined): boolean =>
  byte !== undefined
  && ((byte >= 0x30 && byte <= 0x39) || (byte >= 0x41 && byte <= 0x46) || (byte >= 0x61 && byte <= 0x66))

const isUnicodeEscape = (bytes: Uint8Array, at: number): boolean =>
  bytes[at] === letterU && isHex(bytes[at + 1]) && isHex(bytes[at + 2]) && isHex(bytes[at + 3])
  && isHex(bytes[at + 4])

// --- plain text: nearly all of a long string goes by here ------------------------------------------------------------

/** Offset of the first byte that is neither plain nor part of a two-byte escape; the end if there is none. */
type Skip = (bytes: Uint8Array, from: number) => number

/** Byte by byte: good for short texts. */
const skipFew: Skip = (bytes, from) => {
  const { length } = bytes
  for (let at = from; at < length; at++) {
    const byte = bytes[at] as number // within the array
    if (byte >= 0x20 && byte !== quote && byte !== backslash) continue
    if (byte !== backslash || !isEscape(bytes[at + 1])) return at
    at += 1
  }
  return length
}

/** From this many bytes on, copying them for sixteen-byte scanning pays off. */
const manyBytes = 64
/** How many are copied first, and at most; `plainText.wat` has room for a few more. */
const window = { first: 1024, most: 64 * 1024 }

/** Only the parts used here, which Node's types leave out; undefined if Node runs without it (`--jitless`). */
declare const WebAssembly: undefined | {
  readonly Module: new(bytes: Uint8Array) => object
  readonly Instance: new(module: object) => { readonly exports: unknown }
}

/** Exports of `plainText.wat`. */
interface PlainText {
  readonly memory: { readonly buffer: ArrayBuffer }
  readonly skip: (at: number) => number
}

const makeSkipMany = (): Skip => {
  if (typeof WebAssembly === "undefined") return skipFew
  const module = new WebAssembly.Module(Buffer.from(plainTextWasm, "base64"))
  const { memory, skip } = new WebAssembly.Instance(module).exports as PlainText
  const copied = new Uint8Array(memory.buffer)
  return (bytes, from) => {
    let start = from
    for (let size = window.first;; size = Math.min(window.most, size * 4)) {
      const end = Math.min(bytes.length, start + size)
      copied.set(bytes.subarray(start, end))
      copied[end - start] = 0
      const place = start + skip(0)
      // A window's end may cut an escape in two.
      if (place < end - 1 || end === bytes.length) return place
      start = place
    }
  }
}

let skipMany: Skip | undefined

const skip: Skip = (bytes, from) => {
  if (bytes.length - from < manyBytes) return skipFew(bytes, from)
  skipMany ??= makeSkipMany()
  return skipMany(bytes, from)
}

/** Offset just after the string that begins at `at` with its quote; -1 if there is none or it is invalid. */
export const afterString = (bytes: Uint8Array, at: number): number => {
  if (bytes[at] !== quote) return -1
  for (let place = skip(bytes, at + 1); place < bytes.length; place = skip(bytes, place + 6)) {
    if (bytes[place] === quote) return place + 1
    if (bytes[place] !== backslash || !isUnicodeEscape(bytes, place + 1)) return -1
  }
  return -1
}

const unicodeEscape = Buffer.from("\\u")

/** Whether some text may differ from its bytes: all other escapes are of ASCII. */
export const hasUnicodeEscape = (line: Buffer): boolean => line.includes(unicodeEscape)

/** Whether these bytes are at `at`. */
export const standsAt = (bytes: Uint8Array, at: number, expected: Uint8Array): boolean => {
  for (let index = 0; index < expected.length; index++) {
    if (bytes[at + index] !== expected[index]) return false
  }
  return true
}

/**
 * jsonBytes: reads JSON in place, as the bytes it is, for lines that are too many to be parsed.
 *
 * JSON's syntax is ASCII, so it can be told from the bytes alone where a string ends and whether it is one: what is
 * passed over here `JSON.parse` would take too, if all of the line is UTF-8. Nothing is decoded, nothing is copied.
 */

const quote = 0x22
const backslash = 0x5c
const letterU = 0x75

/** 1 for each of these bytes, else 0. */
const marking = (...bytes: ReadonlyArray<number>): Uint8Array => {
  const marks = new Uint8Array(256)
  for (const byte of bytes) marks[byte] = 1
  return marks
}

/** Bytes that cannot stand in a string as they are: control characters, and what ends a string or escapes. */
const special = marking(...Array(0x20).keys(), quote, backslash)
/** What may follow a backslash, but for `u`. */
const escaped = marking(...Buffer.from("\"\\/bfnrt"))

const isHex = (byte: number | undefined): boolean =>
  byte !== undefined
  && ((byte >= 0x30 && byte <= 0x39) || (byte >= 0x41 && byte <= 0x46) || (byte >= 0x61 && byte <= 0x66))

const isUnicodeEscape = (bytes: Uint8Array, at: number): boolean =>
  bytes[at] === letterU && isHex(bytes[at + 1]) && isHex(bytes[at + 2]) && isHex(bytes[at + 3])
  && isHex(bytes[at + 4])

/** The next special byte; the end if there is none. */
const nextSpecial = (bytes: Uint8Array, from: number): number => {
  const { length } = bytes
  let at = from
  // All places are within the array. Four at once: nearly all of a long text goes by here.
  for (const last = length - 4; at <= last; at += 4) {
    const found = (special[bytes[at] as number] as number) | (special[bytes[at + 1] as number] as number)
      | (special[bytes[at + 2] as number] as number) | (special[bytes[at + 3] as number] as number)
    if (found !== 0) break
  }
  while (at < length && special[bytes[at] as number] === 0) at += 1
  return at
}

/** Where the string that begins at `at` with its quote has ended; -1 if there is none, or none that is valid. */
export const afterString = (bytes: Uint8Array, at: number): number => {
  if (bytes[at] !== quote) return -1
  for (let place = nextSpecial(bytes, at + 1); place < bytes.length; place = nextSpecial(bytes, place)) {
    if (bytes[place] === quote) return place + 1
    if (bytes[place] !== backslash) return -1
    const next = bytes[place + 1]
    if (next !== undefined && escaped[next] === 1) place += 2
    else if (isUnicodeEscape(bytes, place + 1)) place += 6
    else return -1
  }
  return -1
}

/** Whether these bytes stand at `at`. */
export const standsAt = (bytes: Uint8Array, at: number, expected: Uint8Array): boolean => {
  for (let index = 0; index < expected.length; index++) {
    if (bytes[at + index] !== expected[index]) return false
  }
  return true
}

/**
 * jsonBytes: reads JSON in place, as the bytes it is, for lines that are too many to be parsed.
 *
 * JSON's syntax is ASCII, so it can be told from the bytes alone where a string ends and whether it is one: what is
 * passed over here `JSON.parse` would take too, if all of the line is UTF-8. Nothing is decoded, nothing is copied.
 */

const quote = 0x22
const backslash = 0x5c
const space = 0x20
const letterU = 0x75

/** What may follow a backslash, but for `u`. */
const isEscape = (byte: number | undefined): boolean =>
  byte === quote || byte === backslash || byte === 0x2f || byte === 0x62 || byte === 0x66 || byte === 0x6e
  || byte === 0x72 || byte === 0x74

const isHex = (byte: number | undefined): boolean =>
  byte !== undefined
  && ((byte >= 0x30 && byte <= 0x39) || (byte >= 0x41 && byte <= 0x46) || (byte >= 0x61 && byte <= 0x66))

const isUnicodeEscape = (bytes: Uint8Array, at: number): boolean =>
  bytes[at] === letterU && isHex(bytes[at + 1]) && isHex(bytes[at + 2]) && isHex(bytes[at + 3])
  && isHex(bytes[at + 4])

/** Where the string that begins at `at` with its quote has ended; -1 if there is none, or none that is valid. */
export const afterString = (bytes: Uint8Array, at: number): number => {
  if (bytes[at] !== quote) return -1
  const { length } = bytes
  for (let place = at + 1; place < length; place++) {
    // Within the array.
    const byte = bytes[place] as number
    if (byte === quote) return place + 1
    if (byte < space) return -1
    if (byte !== backslash) continue
    place += 1
    if (isEscape(bytes[place])) continue
    if (!isUnicodeEscape(bytes, place)) return -1
    place += 4
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

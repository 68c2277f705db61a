/**
 * jsonBytes: reads JSON in place, as the bytes it is, for lines that are too many to be parsed.
 *
 * JSON's syntax is ASCII, so it can be told from the bytes alone where a string ends and whether it is one: what is
 * passed over here `JSON.parse` would take too, if all of the line is UTF-8. Nothing is decoded, nothing is copied.
 */

const quote = 0x22
const backslash = 0x5c
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

// --- four bytes at once: nearly all of a long text goes by here -----------------------------------------------------

/** Bytes that cannot stand in a string as they are: control characters, and what ends a string or escapes. */
const isSpecial = (byte: number): boolean => byte < 0x20 || byte === quote || byte === backslash

/**
 * The highest bit of each special byte of the four; of higher bytes than the lowest special one it may be wrong. Taking
 * n from a byte that is less than n sets its highest bit; flipping 0x02 brings a quote right after the control characters.
 */
const marksOf = (word: number): number =>
  (((word ^ 0x02020202) - 0x21212121) | ((word ^ 0x5c5c5c5c) - 0x01010101)) & ~word & 0x80808080

/** The lowest byte comes first here; where it does not, all go by one at a time. */
const isLittleEndian = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1
/** Memory that is larger, because one line is, is not held on to. */
const keptBytes = 1024 * 1024
let kept = new ArrayBuffer(0)
let keptWords = new Int32Array(kept)

/** The memory behind some bytes, as words; lines of one chunk share it. */
const wordsOf = ({ buffer }: Uint8Array<ArrayBufferLike>): Int32Array => {
  if (buffer === kept) return keptWords
  const words = new Int32Array(buffer, 0, isLittleEndian ? buffer.byteLength >> 2 : 0)
  if (buffer.byteLength <= keptBytes) {
    kept = buffer as ArrayBuffer
    keptWords = words as Int32Array<ArrayBuffer>
  }
  return words
}

/** The next special byte; the end if there is none. */
const nextSpecial = (bytes: Uint8Array, words: Int32Array, from: number): number => {
  const { byteOffset, length } = bytes
  const place = byteOffset + from
  let at = from
  let word = place >> 2
  if (word < words.length) {
    // All places are within the array. What lies before `from` in the first word is made harmless.
    let marks = marksOf((words[word] as number) | ~(-1 << ((place & 3) << 3)))
    while (marks === 0 && ++word < words.length) marks = marksOf(words[word] as number)
    if (marks !== 0) return Math.min(length, word * 4 + ((31 - Math.clz32(marks & -marks)) >> 3) - byteOffset)
    at = words.length * 4 - byteOffset
  }
  while (at < length && !isSpecial(bytes[at] as number)) at += 1
  return Math.min(length, at)
}

/** Where the string that begins at `at` with its quote has ended; -1 if there is none, or none that is valid. */
export const afterString = (bytes: Uint8Array, at: number): number => {
  if (bytes[at] !== quote) return -1
  const words = wordsOf(bytes)
  for (let place = nextSpecial(bytes, words, at + 1); place < bytes.length; place = nextSpecial(bytes, words, place)) {
    if (bytes[place] === quote) return place + 1
    if (bytes[place] !== backslash) return -1
    if (isEscape(bytes[place + 1])) place += 2
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

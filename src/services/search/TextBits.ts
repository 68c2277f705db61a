/**
 * TextBits: the pairs and triples of letters in a text, as bits. For most texts they show that a word is not in it without
 * reading it. A word that is in the text is always found.
 */

/** Bytes for a text of this many characters: an eighth, within limits, a power of two. */
const smallest = 256
const largest = 16 * 1024

export const bytesFor = (chars: number): number => {
  let bytes = smallest
  while (bytes < largest && bytes * 8 < chars) bytes *= 2
  return bytes
}

const mix = (value: number): number => {
  const mixed = Math.imul(value ^ (value >>> 15), 0x2c1b3c6d)
  return (Math.imul(mixed ^ (mixed >>> 12), 0x297a2d39) ^ (mixed >>> 15)) >>> 0
}

/** Calls `tell` with a hash of each pair and triple. */
const eachPart = (text: string, tell: (hash: number) => void): void => {
  let before = 0
  let last = 0
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (index > 0) tell(mix((last << 16) ^ code))
    if (index > 1) tell(mix(Math.imul(before, 0x01000193) ^ Math.imul(last, 0x85eb) ^ code ^ 0x5bd1e995))
    before = last
    last = code
  }
}

/** Adds a text, which must be in lower case. */
export const add = (bits: Uint8Array, text: string): void => {
  const mask = bits.length * 8 - 1
  eachPart(text, (hash) => {
    const bit = hash & mask
    const index = bit >>> 3
    bits[index] = (bits[index] ?? 0) | (1 << (bit & 7))
  })
}

/** Whether the word, which must be in lower case, may be in the text. */
export const mayHave = (bits: Uint8Array, word: string): boolean => {
  const mask = bits.length * 8 - 1
  let may = true
  eachPart(word, (hash) => {
    const bit = hash & mask
    if (((bits[bit >>> 3] ?? 0) & (1 << (bit & 7))) === 0) may = false
  })
  return may
}

/**
 * TextBits: which pairs and triples of letters a text has, as bits: enough to say of most texts that a word is not in them without
 * reading them. A word that is there is never denied.
 */

/** Bytes for a text of so many characters: an eighth, within bounds, a power of two. */
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

/** Calls back with a number for each pair and triple. */
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

/** Of a text in lower case. */
export const add = (bits: Uint8Array, text: string): void => {
  const mask = bits.length * 8 - 1
  eachPart(text, (hash) => {
    const bit = hash & mask
    const index = bit >>> 3
    bits[index] = (bits[index] ?? 0) | (1 << (bit & 7))
  })
}

/** Whether the word, in lower case, may be in the text. */
export const mayHave = (bits: Uint8Array, word: string): boolean => {
  const mask = bits.length * 8 - 1
  let may = true
  eachPart(word, (hash) => {
    const bit = hash & mask
    if (((bits[bit >>> 3] ?? 0) & (1 << (bit & 7))) === 0) may = false
  })
  return may
}

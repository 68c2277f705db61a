/**
 * knownPrompts: which turns of an agent's conversation file are already in the relay's log.
 *
 * The file holds turns from the relay and from terminals, in order, and few agents use the ids that the relay gives. So turns
 * are recognized by their prompts: the same words, at about the same time, in the same order.
 */

/** A prompt in the log: its time (Unix seconds) and a short hash of its text. */
export interface KnownPrompt {
  readonly ts: number
  readonly hash: number
  /** Its turn has begun, but the acknowledgement, which has the same text, has not come yet. */
  readonly begun?: boolean
  /** When its turn ended; prompts before that time belong to the turn. */
  readonly until?: number
}

/** How many of the last prompts are remembered. */
const mostRemembered = 60

/** FNV-1a hash of the text without surrounding white space. */
export const hashOf = (text: string): number => {
  let hash = 0x811c9dc5
  for (const character of text.trim()) {
    hash ^= character.codePointAt(0) ?? 0
    hash = Math.imul(hash, 0x01000193)
  }
  return hash >>> 0
}

/** A turn began with these words. */
export const begun = (
  known: ReadonlyArray<KnownPrompt>,
  text: string,
  ts: number
): ReadonlyArray<KnownPrompt> => [...known, { ts, hash: hashOf(text), begun: true }].slice(-mostRemembered)

/** A prompt with this text was delivered: the one its turn began with, or one that steers the running turn. */
export const handedOver = (
  known: ReadonlyArray<KnownPrompt>,
  text: string,
  ts: number
): ReadonlyArray<KnownPrompt> => {
  const hash = hashOf(text)
  const last = known.at(-1)
  return last?.begun === true && last.hash === hash
    ? [...known.slice(0, -1), { ts: last.ts, hash }]
    : [...known, { ts, hash }].slice(-mostRemembered)
}

/** The relay's own turn has ended. */
export const ended = (known: ReadonlyArray<KnownPrompt>, ts: number): ReadonlyArray<KnownPrompt> => {
  const last = known.at(-1)
  return last === undefined || last.until !== undefined
    ? known
    : [...known.slice(0, -1), { ...last, until: ts }]
}

/** How much later than the relay an agent may date a prompt, in seconds; an agent that is just starting is slow. */
export const latest = 180
const earliest = 2

interface Prompted {
  readonly ts: number
  readonly prompt: string
}

/**
 * How many of these turns, from the first on, are known. `isBehind`: they follow a turn that was already told; then times do not
 * count if none of them is known, because clocks may be set back.
 */
export const knownOf = (
  turns: ReadonlyArray<Prompted>,
  known: ReadonlyArray<KnownPrompt>,
  isBehind = false
): number => {
  let place = 0
  let count = 0
  turns.forEach(({ prompt, ts }, index) => {
    const hash = hashOf(prompt)
    const found = known.findIndex((one, at) =>
      at >= place && one.hash === hash && ts - one.ts >= -earliest && ts - one.ts <= latest
    )
    // Whatever its text: nobody else can prompt while the relay's turn runs.
    const isWithin = known.some(({ ts: from, until = from - 1 }) => ts >= from && ts <= until)
    if (found === -1 && !isWithin) return
    if (found !== -1) place = found + 1
    count = index + 1
  })
  if (count > 0 || known.length === 0 || isBehind) return count
  // None of them is there any more: what is later than all that is known is new.
  const last = known.at(-1)?.ts ?? 0
  const later = turns.findIndex(({ ts }) => ts > last + earliest)
  return later === -1 ? turns.length : later
}

/**
 * The same for prompts without times: everything up to the last known prompt, at the place where most prompts before it
 * match, too.
 */
export const knownUndated = (prompts: ReadonlyArray<string>, known: ReadonlyArray<KnownPrompt>): number => {
  const hashes = prompts.map(hashOf)
  for (let last = known.length - 1; last >= 0; last -= 1) {
    let best = { length: 0, count: 0 }
    hashes.forEach((_, index) => {
      let length = 0
      while (length <= Math.min(index, last) && hashes[index - length] === known[last - length]?.hash) {
        length += 1
      }
      if (length > best.length) best = { length, count: index + 1 }
    })
    // A prompt that is not there was refused, or taken back.
    if (best.length > 0) return best.count
  }
  return 0
}

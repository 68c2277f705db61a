/**
 * knownPrompts: which of a conversation's turns the relay's own log has already.
 *
 * An agent's file holds what was said through the relay and what was said in a terminal, in one order; only few agents
 * take over the ids the relay gives. So turns are told apart by their prompts: the same words at about the same time, in
 * the same order.
 */

/** A prompt that is in the log: when (seconds since 1970), and what, as a short hash. */
export interface KnownPrompt {
  readonly ts: number
  readonly hash: number
  /** Its turn has begun, but no acknowledgement came yet, which says the same words again. */
  readonly begun?: boolean
  /** When the turn ended that went through the relay; what was prompted in between is of that turn. */
  readonly until?: number
}

/** So many are remembered: the last ones. */
const mostRemembered = 60

/** FNV-1a of the words, without the white space around them. */
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

/** These words were handed over: the turn's that began with them, or more for the running turn. */
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

/** An agent writes a prompt down when it takes it up; a cold one may need a while. In seconds. */
export const latest = 180
const earliest = 2

interface Prompted {
  readonly ts: number
  readonly prompt: string
}

/**
 * How many of these turns, in the order of the conversation, are known: those behind are not. `isBehind`: they stand behind
 * one that was told, so that time says nothing where none of them is known: clocks are set back.
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
    // However an agent writes it down: nobody else may write while the relay's turn runs.
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
 * The same where nobody says when a prompt was said: behind the place where the last of what is known is found with as much
 * as possible of what stands before it.
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

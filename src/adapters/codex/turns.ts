/**
 * turns: which of Codex's turns is the one the session waits for.
 *
 * Codex also begins turns by itself (it pursues a goal), and `turn/start` joins one that runs. So a turn is known by its
 * id: from the answer to `turn/start`, or from `turn/started` where Codex began it. It can be interrupted and steered
 * only once it has started, some milliseconds after that answer.
 */

export type Turns = ReturnType<typeof makeTurns>

/** A turn whose id Codex did not tell in a way we can read. */
const unnamed = ""

/**
 * What the session waits for: a turn whose id will be in an answer, the next that starts, or the one of this id. `seen`:
 * the turn that has started since it was asked for.
 */
export type Awaited =
  | { readonly kind: "asked" | "next"; readonly seen?: string }
  | { readonly kind: "known"; readonly id: string }

export const makeTurns = () => {
  /** The turn Codex is in. */
  let live: string | undefined
  let awaited: Awaited | undefined
  /** Those who want to do something with the turn as soon as it is live; undefined: it will not be. */
  let waiting: Array<(id: string | undefined) => void> = []

  const tell = (id: string | undefined) => {
    const all = waiting
    waiting = []
    for (const act of all) act(id)
  }

  const lookIfLive = () => {
    if (awaited?.kind === "known" && awaited.id === live && live !== unnamed) tell(live)
  }

  const idOf = (turn: Awaited) => turn.kind === "known" ? turn.id : turn.seen

  const clear = () => {
    awaited = undefined
    tell(undefined)
  }

  return {
    /** A turn was asked for. `next`: its id will not be in the answer. */
    ask: (kind: "asked" | "next"): void => {
      awaited = { kind }
    },
    /** Without an id it is the one that runs, or else the next. */
    answered: (id = live): void => {
      if (live === unnamed) live = id
      awaited = id === undefined ? { kind: "next" } : { kind: "known", id }
      lookIfLive()
    },
    /** What was asked for will not be. */
    refused: clear,
    /** True if Codex began it by itself, and the session waits for no other. */
    started: (id: string | undefined, inTurn: boolean): boolean => {
      live = id ?? (awaited?.kind === "known" ? awaited.id : unnamed)
      const isUnasked = awaited === undefined && !inTurn
      if (isUnasked || awaited?.kind === "next") awaited = { kind: "known", id: live }
      else if (awaited?.kind === "asked") awaited = { kind: "asked", seen: live }
      lookIfLive()
      return isUnasked
    },
    /** True if it is the one the session waits for; without an id it is the one that runs. */
    ended: (id: string | undefined): boolean => {
      if (id === undefined || live === id) live = undefined
      if (awaited?.kind !== "known") return false
      if (id !== undefined && awaited.id !== unnamed && awaited.id !== id) return false
      clear()
      return true
    },
    /** The session waits for the turn of this very id. */
    isAwaited: (id: string | undefined): boolean =>
      id !== undefined && awaited?.kind === "known" && awaited.id === id,
    /** Codex works no more, and has not told how it ended. False if nobody waits for it. */
    lost: (): boolean => {
      if (awaited === undefined) return false
      live = undefined
      clear()
      return true
    },
    /** What the session waits for, if that has begun or will for certain. */
    awaited: (): Awaited | undefined =>
      awaited === undefined || idOf(awaited) === undefined ? undefined : awaited,
    /** Call `act` with the awaited turn's id as soon as it is live: at once, later, or with undefined if there is none. */
    whenLive: (act: (id: string | undefined) => void): void => {
      if (awaited === undefined) return act(undefined)
      waiting.push(act)
      lookIfLive()
    }
  }
}

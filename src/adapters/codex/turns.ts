/**
 * turns: which of Codex's turns the session is waiting for.
 *
 * Codex also begins turns on its own (to pursue a goal), and `turn/start` joins a running one. So a turn is
 * identified by its id: from the answer to `turn/start`, or from `turn/started` if Codex began it. It can be
 * interrupted and steered only once it has started, some milliseconds after that answer.
 */

export type Turns = ReturnType<typeof makeTurns>

/** A turn whose id could not be read. */
const unnamed = ""

/**
 * What the session waits for: a turn whose id will be in an answer, the next one to start, or the one with
 * this id. `seen`: the turn that has started since the request.
 */
export type Awaited =
  | { readonly kind: "asked" | "next"; readonly seen?: string }
  | { readonly kind: "known"; readonly id: string }

export const makeTurns = () => {
  /** The turn Codex is running. */
  let live: string | undefined
  let awaited: Awaited | undefined
  /** Callbacks waiting for the turn to go live; undefined: it will not. */
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
    /** A turn was requested. `next`: its id will not be in the answer. */
    ask: (kind: "asked" | "next"): void => {
      awaited = { kind }
    },
    /** Without an id, it is the running turn or else the next. */
    answered: (id = live): void => {
      if (live === unnamed) live = id
      awaited = id === undefined ? { kind: "next" } : { kind: "known", id }
      lookIfLive()
    },
    /** The requested turn will not happen. */
    refused: clear,
    /** True if Codex began it on its own and the session waits for no other. */
    started: (id: string | undefined, inTurn: boolean): boolean => {
      live = id ?? (awaited?.kind === "known" ? awaited.id : unnamed)
      const isUnasked = awaited === undefined && !inTurn
      if (isUnasked || awaited?.kind === "next") awaited = { kind: "known", id: live }
      else if (awaited?.kind === "asked") awaited = { kind: "asked", seen: live }
      lookIfLive()
      return isUnasked
    },
    /** True if it is the awaited turn; without an id, it is the running one. */
    ended: (id: string | undefined): boolean => {
      if (id === undefined || live === id) live = undefined
      if (awaited?.kind !== "known") return false
      if (id !== undefined && awaited.id !== unnamed && awaited.id !== id) return false
      clear()
      return true
    },
    /** Whether Codex runs this turn; without an id, any. */
    isRunning: (id: string | undefined): boolean =>
      live !== undefined && (id === undefined || live === unnamed || live === id),
    /** Whether the session waits for exactly this id. */
    isAwaited: (id: string | undefined): boolean =>
      id !== undefined && awaited?.kind === "known" && awaited.id === id,
    /** Codex has stopped working without reporting how the turn ended. False if no turn is awaited. */
    lost: (): boolean => {
      if (awaited === undefined) return false
      live = undefined
      clear()
      return true
    },
    /** The awaited turn, if it has begun or certainly will. */
    awaited: (): Awaited | undefined =>
      awaited === undefined || idOf(awaited) === undefined ? undefined : awaited,
    /** Call `act` with the awaited turn's id once it is live: at once, later, or with undefined if there is none. */
    whenLive: (act: (id: string | undefined) => void): void => {
      if (awaited === undefined) return act(undefined)
      waiting.push(act)
      lookIfLive()
    }
  }
}

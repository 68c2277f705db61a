/**
 * turns: which of Codex's turns is the one the session waits for.
 *
 * Codex also begins turns by itself (it pursues a goal), and `turn/start` joins one that runs. So a turn is known by its
 * id: from the answer to `turn/start`, or from `turn/started` where Codex began it. It can be interrupted and steered
 * only once it has started, some milliseconds after that answer.
 */

export type Turns = ReturnType<typeof makeTurns>

export const makeTurns = () => {
  /** The turn Codex is in. */
  let live: string | undefined
  /** What the session waits for: a turn whose id will be in an answer, the next that starts, or the one of this id. */
  let awaited:
    | { readonly kind: "asked" | "next" }
    | { readonly kind: "known"; readonly id: string }
    | undefined
  /** Those who want to do something with the turn as soon as it is live; undefined: it will not be. */
  let waiting: Array<(id: string | undefined) => void> = []

  const tell = (id: string | undefined) => {
    const all = waiting
    waiting = []
    for (const act of all) act(id)
  }

  const lookIfLive = () => {
    if (awaited?.kind === "known" && awaited.id === live) tell(live)
  }

  return {
    /** A turn was asked for. `next`: its id will not be in the answer. */
    ask: (kind: "asked" | "next"): void => {
      awaited = { kind }
    },
    /** Without an id it is the one that runs, or else the next. */
    answered: (id = live): void => {
      awaited = id === undefined ? { kind: "next" } : { kind: "known", id }
      lookIfLive()
    },
    /** What was asked for will not be. */
    refused: (): void => {
      awaited = undefined
      tell(undefined)
    },
    /** True if Codex began it by itself, and the session waits for no other. */
    started: (id: string, inTurn: boolean): boolean => {
      live = id
      const isUnasked = awaited === undefined && !inTurn
      if (isUnasked || awaited?.kind === "next") awaited = { kind: "known", id }
      lookIfLive()
      return isUnasked
    },
    /** True if it is the one the session waits for. */
    ended: (id: string): boolean => {
      if (live === id) live = undefined
      if (awaited?.kind !== "known" || awaited.id !== id) return false
      awaited = undefined
      tell(undefined)
      return true
    },
    /** Call `act` with the awaited turn's id as soon as it is live: at once, later, or with undefined if there is none. */
    whenLive: (act: (id: string | undefined) => void): void => {
      if (awaited === undefined) return act(undefined)
      waiting.push(act)
      lookIfLive()
    }
  }
}

/**
 * useRelay: the agents and sessions of the relay, looked up when the page opens, comes back, or changes its place, and what
 * a person does with sessions. A deletion can be undone for some seconds: only then is the relay told.
 */
import { useCallback, useEffect, useRef, useState } from "react"
import type { SessionChange, SessionLine } from "../model/sessions.js"
import { setToken, token } from "../relay/address.js"
import * as http from "../relay/http.js"
import { w } from "../words/words.js"

export interface Relay {
  /** Undefined until they are known. */
  readonly agents: ReadonlyArray<http.Agent> | undefined
  readonly sessions: ReadonlyArray<SessionLine> | undefined
  /** Where agents work if nothing is said, if the relay tells. */
  readonly home: string | undefined
  /** What is wrong, in the relay's words. */
  readonly problem: string | undefined
  /** The relay asks for a token. */
  readonly wantsToken: boolean
  readonly refreshSessions: () => void
  readonly enterToken: (token: string) => void
  readonly change: (line: SessionLine, change: SessionChange) => void
  readonly remove: (line: SessionLine) => void
  /** Deleted just now; it can be undone. */
  readonly removed: SessionLine | undefined
  readonly undoRemove: () => void
}

const everyMs = 10_000
/** How often in a page that nobody looks at: its title tells when it is needed. */
const hiddenMs = 30_000
const undoMs = 6_000

export const useRelay = (session_id: string | undefined): Relay => {
  const [agents, setAgents] = useState<ReadonlyArray<http.Agent>>()
  const [sessions, setSessions] = useState<ReadonlyArray<SessionLine>>()
  const [home, setHome] = useState<string>()
  const [problem, setProblem] = useState<string>()
  const [wantsToken, setWantsToken] = useState(false)
  const [removed, setRemoved] = useState<SessionLine>()
  const removal = useRef<{ readonly line: SessionLine; readonly timer: ReturnType<typeof setTimeout> }>(
    undefined
  )

  const guard = useCallback(async (look: () => Promise<void>) => {
    try {
      await look()
      setProblem(undefined)
      setWantsToken(false)
    } catch (error) {
      setWantsToken(error instanceof http.TokenWanted)
      setProblem(
        error instanceof http.TokenWanted
          ? token() === undefined ? undefined : w.tokenWrong
          : error instanceof TypeError
          ? w.cannotReach
          : error instanceof Error
          ? error.message
          : ""
      )
    }
  }, [])

  const lookAtSessions = useCallback(() => guard(async () => setSessions(await http.sessions())), [guard])
  const lookAtAgents = useCallback(() =>
    guard(async () => {
      const { agents, folder } = await http.agents()
      setAgents(agents)
      setHome(folder)
    }), [guard])
  const refresh = useCallback(() => {
    void lookAtSessions()
    void lookAtAgents()
  }, [lookAtAgents, lookAtSessions])

  useEffect(refresh, [refresh])
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined
    const look = () => {
      clearTimeout(timer)
      void lookAtSessions()
      timer = setTimeout(look, document.hidden ? hiddenMs : everyMs)
    }
    look()
    document.addEventListener("visibilitychange", look)
    return () => {
      clearTimeout(timer)
      document.removeEventListener("visibilitychange", look)
    }
  }, [lookAtSessions, session_id])

  const refreshSessions = useCallback(() => void lookAtSessions(), [lookAtSessions])
  const enterToken = (token: string) => {
    setToken(token)
    refresh()
  }

  const act = (promise: Promise<void>) =>
    void promise.catch((error: unknown) => setProblem(error instanceof Error ? error.message : ""))
      .then(lookAtSessions)

  const change = (line: SessionLine, change: SessionChange) => {
    setSessions((lines) =>
      lines?.map((other) => other.session_id === line.session_id ? { ...other, ...change } : other)
    )
    act(http.changeSession(line.session_id, change))
  }

  const settleRemoval = () => {
    const pending = removal.current
    if (pending === undefined) return
    clearTimeout(pending.timer)
    removal.current = undefined
    setRemoved(undefined)
    act(http.removeSession(pending.line.session_id))
  }
  const remove = (line: SessionLine) => {
    settleRemoval()
    removal.current = { line, timer: setTimeout(settleRemoval, undoMs) }
    setRemoved(line)
  }
  const undoRemove = () => {
    clearTimeout(removal.current?.timer)
    removal.current = undefined
    setRemoved(undefined)
  }

  return {
    agents,
    // What was just deleted is out of sight, whatever the relay still says.
    sessions: removed === undefined
      ? sessions
      : sessions?.filter(({ session_id }) => session_id !== removed.session_id),
    home,
    problem,
    wantsToken,
    refreshSessions,
    enterToken,
    change,
    remove,
    removed,
    undoRemove
  }
}

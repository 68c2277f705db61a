/**
 * useRelay: the relay's agents, loaded when the page opens; its sessions, which the relay reports as they
 * change; and the actions on them. A deletion can be undone for some seconds: only then is it sent to the
 * relay.
 */
import { useCallback, useEffect, useRef, useState } from "react"
import { watchSessions } from "../../client/browser.js"
import type { SessionChange, SessionLine } from "../model/sessions.js"
import { setToken, token } from "../relay/address.js"
import * as http from "../relay/http.js"
import { problemOf } from "../relay/problem.js"
import { reloadIfOlder } from "../relay/shell.js"
import { w } from "../words/words.js"

export interface Relay {
  /** Undefined until they are known. */
  readonly agents: ReadonlyArray<http.Agent> | undefined
  readonly sessions: ReadonlyArray<SessionLine> | undefined
  /** The default folder, if the relay reports it. */
  readonly home: string | undefined
  /** What may be done here; undefined until it is known. */
  readonly scopes: ReadonlySet<http.Scope> | undefined
  /** The identity of this page and of the relay; undefined until it is known. */
  readonly self: http.Self | undefined
  /** The relay's error message. */
  readonly problem: string | undefined
  /** The relay asks for a token. */
  readonly wantsToken: boolean
  readonly enterToken: (token: string) => void
  readonly change: (line: SessionLine, change: SessionChange) => void
  readonly remove: (line: SessionLine) => void
  /** Just deleted; it can be undone. */
  readonly removed: SessionLine | undefined
  readonly undoRemove: () => void
}

const undoMs = 6_000

export const useRelay = (): Relay => {
  const [agents, setAgents] = useState<ReadonlyArray<http.Agent>>()
  const [sessions, setSessions] = useState<ReadonlyArray<SessionLine>>()
  const [home, setHome] = useState<string>()
  const [scopes, setScopes] = useState<ReadonlySet<http.Scope>>()
  const [self, setSelf] = useState<http.Self>()
  const [problem, setProblem] = useState<string>()
  const [wantsToken, setWantsToken] = useState(false)
  const [removed, setRemoved] = useState<SessionLine>()
  /** Incremented to reload everything: the token has changed, or the page may be outdated. */
  const [look, setLook] = useState(0)
  const lookAgain = useCallback(() => setLook((look) => look + 1), [])
  const removal = useRef<{ readonly line: SessionLine; readonly timer: ReturnType<typeof setTimeout> }>(
    undefined
  )

  useEffect(() => {
    let wasOpen = false
    const refused = () => {
      setWantsToken(true)
      setProblem(wasOpen ? w.tokenEnded : token() === undefined ? undefined : w.tokenWrong)
      // What may no longer be seen.
      setSessions(undefined)
    }
    const watch = watchSessions({
      ...http.credentials(),
      onSessions: setSessions,
      onState: (state) => {
        if (state.status === "open") {
          wasOpen = true
          void reloadIfOlder()
          setWantsToken(false)
          setProblem(undefined)
        }
        if (state.status === "waiting") setProblem(w.cannotReach)
        if (state.status !== "closed" || state.error.code === "closed") return
        if (state.error.code === "unauthorized") refused()
        else setProblem(problemOf(state.error))
      }
    })
    let isShown = true
    const lookAtAgents = async () => {
      try {
        const [{ agents, folder }, self] = await Promise.all([http.agents(), http.whoami()])
        if (!isShown) return
        setScopes(self.scopes && new Set(self.scopes))
        setSelf(self)
        setAgents(agents)
        setHome(folder)
      } catch (error) {
        if (!isShown) return
        if (error instanceof http.TokenWanted) refused()
        else setProblem(error instanceof TypeError ? w.cannotReach : problemOf(error))
      }
    }
    void lookAtAgents()
    return () => {
      isShown = false
      watch.close()
    }
  }, [look])

  const enterToken = (token: string) => {
    setToken(token)
    lookAgain()
  }

  const act = (promise: Promise<void>) =>
    void promise.catch((error: unknown) => {
      lookAgain()
      setProblem(problemOf(error))
    })

  const change = (line: SessionLine, change: SessionChange) => {
    setSessions((lines) =>
      lines?.map((other) => other.session_id === line.session_id ? { ...other, ...change } : other)
    )
    act(http.changeSession(line.session_id, change))
  }

  const settle = useRef(() => {})
  // A page that is left cannot undo anything any more.
  useEffect(() => {
    const onLeave = () => settle.current()
    addEventListener("pagehide", onLeave)
    return () => removeEventListener("pagehide", onLeave)
  }, [])
  const settleRemoval = () => {
    const pending = removal.current
    if (pending === undefined) return
    clearTimeout(pending.timer)
    removal.current = undefined
    setRemoved(undefined)
    act(http.removeSession(pending.line.session_id))
  }
  settle.current = settleRemoval
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
    // A session just deleted is hidden, whatever the relay still reports.
    sessions: removed === undefined
      ? sessions
      : sessions?.filter(({ session_id }) => session_id !== removed.session_id),
    home,
    scopes,
    self,
    problem,
    wantsToken,
    enterToken,
    change,
    remove,
    removed,
    undoRemove
  }
}

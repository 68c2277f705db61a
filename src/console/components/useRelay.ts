/**
 * useRelay: the agents of the relay, looked up when the page opens, its sessions, which the relay tells as they change, and what
 * a person does with them. A deletion can be undone for some seconds: only then is the relay told.
 */
import { useCallback, useEffect, useRef, useState } from "react"
import { watchSessions } from "../../client/browser.js"
import { messageOf } from "../../schema/messageOf.js"
import type { SessionChange, SessionLine } from "../model/sessions.js"
import { setToken, token } from "../relay/address.js"
import * as http from "../relay/http.js"
import { reloadIfOlder } from "../relay/shell.js"
import { w } from "../words/words.js"

export interface Relay {
  /** Undefined until they are known. */
  readonly agents: ReadonlyArray<http.Agent> | undefined
  readonly sessions: ReadonlyArray<SessionLine> | undefined
  /** Where agents work if nothing is said, if the relay tells. */
  readonly home: string | undefined
  /** What may be done here; undefined until it is known. */
  readonly scopes: ReadonlySet<http.Scope> | undefined
  /** Who this page is to the relay, and what relay it is; undefined until it is known. */
  readonly self: http.Self | undefined
  /** What is wrong, in the relay's words. */
  readonly problem: string | undefined
  /** The relay asks for a token. */
  readonly wantsToken: boolean
  readonly enterToken: (token: string) => void
  readonly change: (line: SessionLine, change: SessionChange) => void
  readonly remove: (line: SessionLine) => void
  /** Deleted just now; it can be undone. */
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
  /** Looked at all anew when it grows: there is another token, or what is shown may be wrong. */
  const [look, setLook] = useState(0)
  const lookAgain = useCallback(() => setLook((look) => look + 1), [])
  const removal = useRef<{ readonly line: SessionLine; readonly timer: ReturnType<typeof setTimeout> }>(
    undefined
  )

  useEffect(() => {
    const refused = () => {
      setWantsToken(true)
      setProblem(token() === undefined ? undefined : w.tokenWrong)
    }
    const watch = watchSessions({
      ...http.credentials(),
      onSessions: setSessions,
      onState: (state) => {
        if (state.status === "open") {
          void reloadIfOlder()
          setWantsToken(false)
          setProblem(undefined)
        }
        if (state.status === "waiting") setProblem(w.cannotReach)
        if (state.status !== "closed" || state.error.code === "closed") return
        if (state.error.code === "unauthorized") refused()
        else setProblem(state.error.message)
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
        else setProblem(error instanceof TypeError ? w.cannotReach : messageOf(error))
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
      setProblem(messageOf(error))
    })

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

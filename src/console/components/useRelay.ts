/** useRelay: the agents and sessions of the relay, looked up when the page opens, comes back, or changes its place. */
import { useCallback, useEffect, useState } from "react"
import { setToken, token } from "../relay/address.js"
import * as http from "../relay/http.js"
import { w } from "../words/words.js"

export interface Relay {
  /** Undefined until they are known. */
  readonly agents: ReadonlyArray<http.Agent> | undefined
  readonly sessions: ReadonlyArray<http.SessionLine> | undefined
  /** Where agents work if nothing is said, if the relay tells. */
  readonly home: string | undefined
  /** What is wrong, in the relay's words. */
  readonly problem: string | undefined
  /** The relay asks for a token. */
  readonly wantsToken: boolean
  readonly refreshSessions: () => void
  readonly enterToken: (token: string) => void
}

const every = 10_000

export const useRelay = (session_id: string | undefined): Relay => {
  const [agents, setAgents] = useState<ReadonlyArray<http.Agent>>()
  const [sessions, setSessions] = useState<ReadonlyArray<http.SessionLine>>()
  const [home, setHome] = useState<string>()
  const [problem, setProblem] = useState<string>()
  const [wantsToken, setWantsToken] = useState(false)

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
    void lookAtSessions()
    const look = () => document.hidden || void lookAtSessions()
    const timer = setInterval(look, every)
    document.addEventListener("visibilitychange", look)
    return () => {
      clearInterval(timer)
      document.removeEventListener("visibilitychange", look)
    }
  }, [lookAtSessions, session_id])

  const refreshSessions = useCallback(() => void lookAtSessions(), [lookAtSessions])
  const enterToken = (token: string) => {
    setToken(token)
    refresh()
  }
  return { agents, home, sessions, problem, wantsToken, refreshSessions, enterToken }
}

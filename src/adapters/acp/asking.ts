/**
 * asking: whether a person is asked before tools run, and the mode to open in so that one is.
 *
 * Some agents begin in a mode that runs commands unasked ("auto", "yolo"). Who wants that says so by
 * `permission_mode`; else a session begins in the mode that asks. Agents that never ask are told apart.
 */
import type { AcpAgent } from "./AcpAgent.js"
import type { Choice } from "./choices.js"

/** What agents call the modes in which nobody, or only another model, is asked. */
const unasking = new Set([
  "auto",
  "yolo",
  "bypass",
  "bypassPermissions",
  "bypass_permissions",
  "autopilot",
  "auto-approve",
  "full-access",
  "agent-full-access"
])
/** What they call those that ask, the most usual first. */
const usual = ["default", "ask", "manual", "normal"]

interface Mode {
  readonly current: string | undefined
  readonly offered: ReadonlyArray<Choice>
}

const runsUnasked = ({ asks }: AcpAgent, mode: string): boolean =>
  asks === undefined || asks === "never" ? unasking.has(mode) : asks.insteadOf.includes(mode)

/** The mode to change to before the first prompt; undefined if it asks already, or cannot. */
export const modeThatAsks = (agent: AcpAgent, { current, offered }: Mode): string | undefined => {
  if (current === undefined || !runsUnasked(agent, current)) return undefined
  const wanted = agent.asks === undefined || agent.asks === "never" ? usual : [agent.asks.mode]
  return wanted.find((id) => offered.some((mode) => mode.id === id))
}

/** Tools run without anybody being asked: what to tell people; undefined if somebody is asked. */
export const whyUnasked = (agent: AcpAgent, mode: string | undefined): string | undefined => {
  if (agent.asks === "never") return `${agent.name} runs commands and changes files without asking.`
  return mode !== undefined && runsUnasked(agent, mode)
    ? `${agent.name} is in the mode "${mode}": it runs commands and changes files without asking.`
    : undefined
}

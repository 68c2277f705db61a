/**
 * asking: whether a person is asked before tools run, and the mode to open in so that one is.
 *
 * Some agents start in a mode that runs commands without asking ("auto", "yolo"). A session opens in a mode
 * that asks unless `permission_mode` says otherwise. Agents that never ask are reported as such.
 */
import type { AcpAgent } from "./AcpAgent.js"
import type { Choice } from "./choices.js"

/** Names agents use for modes in which nobody, or only another model, is asked. */
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
/** Names for modes that ask, most common first. */
const usual = ["default", "ask", "manual", "normal"]

interface Mode {
  readonly current: string | undefined
  readonly offered: ReadonlyArray<Choice>
}

const runsUnasked = ({ asks }: AcpAgent, mode: string): boolean =>
  asks === undefined || asks === "never" ? unasking.has(mode) : asks.insteadOf.includes(mode)

/** The mode to switch to before the first prompt; undefined if the current mode asks or none can. */
export const modeThatAsks = (agent: AcpAgent, { current, offered }: Mode): string | undefined => {
  if (current === undefined || !runsUnasked(agent, current)) return undefined
  const wanted = agent.asks === undefined || agent.asks === "never" ? usual : [agent.asks.mode]
  return wanted.find((id) => offered.some((mode) => mode.id === id))
}

/** The notice that tools run without asking; undefined if a person is asked. */
export const whyUnasked = (agent: AcpAgent, mode: string | undefined): string | undefined => {
  if (agent.asks === "never") return `${agent.name} runs commands and changes files without asking.`
  return mode !== undefined && runsUnasked(agent, mode)
    ? `${agent.name} is in the mode "${mode}": it runs commands and changes files without asking.`
    : undefined
}

/** AgentChoice: the agents that work here, the demo, and what to run for the others. */
import { Bot, Play, SquareTerminal } from "lucide-react"
import type { Agent } from "../relay/http.js"

export const demo: Agent = { tool: "demo", name: "Demo", installed: true, logged_in: true }

export const usable = ({ installed, logged_in }: Agent): boolean => installed && logged_in !== false

const iconOf = (tool: string) => tool === "demo" ? Play : tool === "generic" ? SquareTerminal : Bot

const subtitle = ({ logged_in, tool, version }: Agent): string =>
  tool === "demo"
    ? "A recording, needs nothing"
    : tool === "generic"
    ? "Any program with a screen"
    : [version, logged_in === undefined ? "login unknown" : "ready"].filter(Boolean).join(" · ")

interface Props {
  readonly agents: ReadonlyArray<Agent> | undefined
  readonly chosen: string | undefined
  readonly onChoose: (tool: string) => void
}

export const AgentChoice = ({ agents = [], chosen, onChoose }: Props) => {
  const real = agents.filter(usable)
  const others = agents.filter((agent) => !usable(agent))
  // The demo needs nothing, so it is there first, and stays where it is.
  const offered = [demo, ...real]
  return (
    <fieldset className="agents">
      <legend className="visually-hidden">Agent</legend>
      <div className="agent-grid">
        {offered.map((agent) => {
          const Icon = iconOf(agent.tool)
          return (
            <label key={agent.tool} className="agent" data-chosen={agent.tool === chosen}>
              <input
                type="radio"
                name="agent"
                value={agent.tool}
                checked={agent.tool === chosen}
                onChange={() => onChoose(agent.tool)}
              />
              <Icon size={18} aria-hidden />
              <span className="agent-name">{agent.tool === "generic" ? "Terminal" : agent.name}</span>
              <span className="agent-sub">{subtitle(agent)}</span>
            </label>
          )
        })}
      </div>
      {others.length > 0 && (
        <details className="others">
          <summary>{others.length} more {others.length === 1 ? "agent" : "agents"} the relay knows</summary>
          <dl>
            {others.map(({ advice, installed, name, tool }) => (
              <div key={tool}>
                <dt>
                  {name} <span className="muted">{installed ? "no login" : "not installed"}</span>
                </dt>
                <dd>{advice}</dd>
              </div>
            ))}
          </dl>
        </details>
      )}
    </fieldset>
  )
}

/**
 * AgentChoice: the agents installed on this machine, the demo, and setup instructions for the others.
 */
import { Bot, Play, SquareTerminal } from "lucide-react"
import type { Agent } from "../relay/http.js"
import { w } from "../words/words.js"
import { adviceText } from "./adviceText.js"
import { CopyButton } from "./CopyButton.js"

export const demo: Agent = { tool: "demo", name: "Demo", installed: true, logged_in: true }

/** Advice with links, and commands to copy. */
const Advice = ({ text }: { readonly text: string }) =>
  text.split(/(https?:\/\/[^\s`]*[^\s`.,;)]|`[^`]+`)/).map((part, index) =>
    part.startsWith("http")
      ? <a key={index} href={part} target="_blank" rel="noopener noreferrer">{part}</a>
      : part.startsWith("`")
      ? (
        <span key={index} className="copyable">
          <code>{part.slice(1, -1)}</code>
          <CopyButton text={part.slice(1, -1)} />
        </span>
      )
      : part
  )

export const usable = ({ installed, logged_in }: Agent): boolean => installed && logged_in !== false

const iconOf = (tool: string) => tool === "demo" ? Play : tool === "generic" ? SquareTerminal : Bot

/** Facts about its version worth mentioning. */
const knownOf = ({ compatibility, trouble = [] }: Agent): ReadonlyArray<string> => [
  ...(compatibility === undefined || compatibility === "tested" ? [] : [compatibility]),
  ...(trouble.length > 0 ? [w.knownTrouble(trouble.join(", "))] : [])
]

const subtitle = (agent: Agent): string => {
  const { logged_in, tool, version } = agent
  if (tool === "demo") return w.demoSub
  if (tool === "generic") return w.terminalSub
  const login = logged_in === undefined ? w.loginUnknown : w.agentReady
  return [version, login, ...knownOf(agent)].filter(Boolean).join(" · ")
}

interface Props {
  readonly agents: ReadonlyArray<Agent> | undefined
  readonly chosen: string | undefined
  readonly onChoose: (tool: string) => void
}

export const AgentChoice = ({ agents = [], chosen, onChoose }: Props) => {
  const real = agents.filter(usable)
  const others = agents.filter((agent) => !usable(agent))
  // The demo needs nothing, so it is there first and keeps its position.
  const offered = [demo, ...real]
  return (
    <fieldset className="agents">
      <legend className="visually-hidden">{w.agent}</legend>
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
              <span className="agent-name">
                {agent.tool === "generic" ? w.terminal : agent.tool === "demo" ? w.demo : agent.name}
              </span>
              <span className="agent-sub">{subtitle(agent)}</span>
            </label>
          )
        })}
      </div>
      {others.length > 0 && (
        <details className="others">
          <summary>{w.moreAgents(others.length)}</summary>
          <dl>
            {others.map(({ advice, installed, name, tool }) => (
              <div key={tool}>
                <dt>
                  {name} <span className="muted">{installed ? w.notSignedIn : w.notInstalled}</span>
                </dt>
                <dd>
                  <Advice text={adviceText(advice ?? "")} />
                </dd>
              </div>
            ))}
          </dl>
        </details>
      )}
    </fieldset>
  )
}

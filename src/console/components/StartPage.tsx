/** StartPage: which agent, in which folder; or one of the sessions there are. */
import { Menu } from "lucide-react"
import { type FormEvent, useState } from "react"
import type { Handshake } from "../../client/browser.js"
import { goTo } from "../relay/address.js"
import { lastTool, rememberFolder, rememberHandshake, rememberTool } from "../relay/kept.js"
import { AgentChoice, demo, usable } from "./AgentChoice.js"
import { FolderField } from "./FolderField.js"
import { TokenForm } from "./TokenForm.js"
import type { Relay } from "./useRelay.js"

const newName = (tool: string) =>
  `${tool}-${
    [...crypto.getRandomValues(new Uint8Array(5))].map((byte) => byte.toString(36).padStart(2, "0")).join("")
  }`

/** Words as a shell splits them, quotes included. */
const splitCommand = (line: string): ReadonlyArray<string> =>
  (line.match(/"[^"]*"|'[^']*'|\S+/g) ?? []).map((word) => word.replace(/^(["'])(.*)\1$/, "$2"))

const needsCommand = (tool: string) => tool === "generic" || tool === "acp"

const toHandshake = (tool: string, folder: string, command: string, model: string): Handshake => {
  const [program, ...args] = splitCommand(command)
  return {
    tool,
    folder,
    raw: false,
    ...(model !== "" && { model }),
    ...(needsCommand(tool) && program !== undefined && { command: [program, ...args] }),
    ...(tool === "generic" && { pty: { raw: true } })
  }
}

export const start = (handshake: Handshake) => {
  const session_id = newName(handshake.tool ?? "claude")
  rememberHandshake(session_id, handshake)
  goTo(session_id)
}

export const StartPage = ({ onMenu, relay }: { readonly relay: Relay; readonly onMenu: () => void }) => {
  const [chosen, setChosen] = useState<string>()
  const [folder, setFolder] = useState("")
  const [command, setCommand] = useState("bash -l")
  const [model, setModel] = useState("")
  const { agents, problem, wantsToken } = relay
  const ready = agents?.filter(usable) ?? []
  const last = lastTool()
  /** Nothing, until it is known which agents are there: what is chosen must not change under a hand that clicks. */
  const suggested = last === demo.tool ? last : agents && (
    ready.find((agent) => agent.tool === last) ?? ready.find((agent) => agent.tool !== "generic") ?? demo
  ).tool
  const tool = chosen ?? suggested

  const onSubmit = (event: FormEvent) => {
    event.preventDefault()
    if (tool === undefined) return
    const where = folder.trim() || "."
    if (where !== ".") rememberFolder(where)
    rememberTool(tool)
    start(toHandshake(tool, where, command, model.trim()))
  }

  return (
    <main className="page start">
      <header className="bar only-phone">
        <button type="button" className="icon-button" onClick={onMenu} aria-label="Sessions">
          <Menu size={18} aria-hidden />
        </button>
        <span className="wordmark">ai-relay</span>
      </header>
      <div className="start-scroll">
        {wantsToken
          ? <TokenForm problem={problem} onToken={relay.enterToken} />
          : (
            <form className="start-form" onSubmit={onSubmit}>
              <h1>What shall we work on?</h1>
              <p className="lead">
                Choose an agent and the folder it works in. It runs on the relay's machine; you watch and
                decide here.
              </p>
              {problem !== undefined && <p className="notice" data-level="error" role="alert">{problem}</p>}
              <AgentChoice agents={agents} chosen={tool} onChoose={setChosen} />
              {tool !== undefined && tool !== demo.tool && (
                <div className="fields">
                  <FolderField folder={folder} onFolder={setFolder} />
                  {needsCommand(tool)
                    ? (
                      <label className="field">
                        <span>Command</span>
                        <input
                          value={command}
                          onChange={({ target }) => setCommand(target.value)}
                          spellCheck={false}
                          autoCapitalize="off"
                          required
                        />
                      </label>
                    )
                    : (
                      <label className="field">
                        <span>
                          Model <em>optional</em>
                        </span>
                        <input
                          value={model}
                          onChange={({ target }) => setModel(target.value)}
                          placeholder="the agent's default"
                          spellCheck={false}
                          autoCapitalize="off"
                        />
                      </label>
                    )}
                </div>
              )}
              <button type="submit" className="button primary large" disabled={tool === undefined}>
                {tool === undefined
                  ? "Looking for agents…"
                  : tool === demo.tool
                  ? "Show me the demo"
                  : "Start session"}
              </button>
            </form>
          )}
      </div>
    </main>
  )
}

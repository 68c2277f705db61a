/**
 * StartPage: choose an agent and a folder, or an existing session.
 */
import { Menu } from "lucide-react"
import { type FormEvent, useState } from "react"
import type { Handshake } from "../../client/browser.js"
import { agentCalled } from "../../messages/agents.js"
import type { NativeSession } from "../relay/http.js"
import { keepStartForm, lastTool, rememberTool, startForm } from "../relay/kept.js"
import { w } from "../words/words.js"
import { AgentChoice, demo, usable } from "./AgentChoice.js"
import { FolderField } from "./FolderField.js"
import { NativeList } from "./NativeList.js"
import { useMay } from "./rights.js"
import { start } from "./start.js"
import { TokenForm } from "./TokenForm.js"
import type { Relay } from "./useRelay.js"
import { modeName } from "./words.js"

/** Splits words like a shell, including quotes. */
const splitCommand = (line: string): ReadonlyArray<string> =>
  (line.match(/"[^"]*"|'[^']*'|\S+/g) ?? []).map((word) => word.replace(/^(["'])(.*)\1$/, "$2"))

const needsCommand = (tool: string) => tool === "generic" || tool === "acp"

/** The form's contents, kept while the person is elsewhere. */
interface Form {
  readonly tool: string | undefined
  readonly folder: string
  readonly command: string
  readonly model: string
  readonly mode: string
  readonly account_url: string
  readonly semantic_view: string
}

const blank: Form = {
  tool: undefined,
  folder: "",
  command: "bash -l",
  model: "",
  mode: "",
  account_url: "",
  semantic_view: ""
}

/** Modes an agent accepts at start. */
const startModesOf = (tool: string): ReadonlyArray<string> | undefined => agentCalled(tool)?.start_modes

const toHandshake = (tool: string, form: Form, token: string): Handshake => {
  const [program, ...args] = splitCommand(form.command)
  const { account_url, mode, semantic_view } = form
  const model = form.model.trim()
  return {
    tool,
    folder: form.folder.trim() || ".",
    raw: false,
    ...(model !== "" && { model }),
    ...(mode !== "" && startModesOf(tool)?.includes(mode) === true && { permission_mode: mode }),
    ...(needsCommand(tool) && program !== undefined && { command: [program, ...args] }),
    ...(tool === "generic" && { pty: { raw: true } }),
    ...(tool === "cortex" && {
      mode: semantic_view.trim() === "" ? "chat" as const : "analyst" as const,
      snowflake: {
        account_url: account_url.trim(),
        ...(token !== "" && { token }),
        ...(semantic_view.trim() !== "" && { semantic_view: semantic_view.trim() })
      }
    })
  }
}

/**
 * Continue with the earlier history; if a terminal has the conversation open, share it, or follow it until
 * the terminal quits.
 */
const goOn = ({ can, folder, native_session_id, open, tool }: NativeSession) =>
  start({
    tool,
    folder,
    native_session_id,
    history: true,
    raw: false,
    ...(open !== undefined && { if_open: can?.join === true ? "join" as const : "follow" as const })
  })

/** Cortex has no default model; with a semantic view, Analyst has one. */
const needsModel = (tool: string, { semantic_view }: Form): boolean =>
  tool === "cortex" && semantic_view.trim() === ""

interface FieldProps {
  readonly label: string
  readonly value: string
  readonly onValue: (value: string) => void
  readonly hint?: string
  readonly placeholder?: string
  readonly required?: boolean
  readonly secret?: boolean
}

const Field = (
  { hint, label, onValue, placeholder, required = false, secret = false, value }: FieldProps
) => (
  <label className="field">
    <span>
      {label} {hint !== undefined && <em>{hint}</em>}
    </span>
    <input
      type={secret ? "password" : "text"}
      value={value}
      onChange={({ target }) => onValue(target.value)}
      placeholder={placeholder}
      spellCheck={false}
      autoCapitalize="off"
      autoComplete="off"
      required={required}
    />
  </label>
)

export const StartPage = ({ onMenu, relay }: { readonly relay: Relay; readonly onMenu: () => void }) => {
  const may = useMay()
  const [form, setForm] = useState((): Form => ({ ...blank, ...startForm() }))
  const [token, setToken] = useState("")
  const { agents, problem, wantsToken } = relay
  const ready = agents?.filter(usable) ?? []
  const last = lastTool()
  /** Empty until the agents are known: the selection must not change under a click. */
  const suggested = last === demo.tool ? last : agents && (
    ready.find((agent) => agent.tool === last) ?? ready.find((agent) => agent.tool !== "generic") ?? demo
  ).tool
  const tool = form.tool ?? suggested
  const modes = startModesOf(tool ?? "") ?? []
  const change = (fields: Partial<Form>) => {
    const next = { ...form, ...fields }
    setForm(next)
    keepStartForm(next)
  }

  const onSubmit = (event: FormEvent) => {
    event.preventDefault()
    if (tool === undefined) return
    rememberTool(tool)
    start(toHandshake(tool, form, token.trim()), tool === demo.tool ? w.demoPrompt : undefined)
  }

  return (
    <main className="page start">
      <header className="bar only-phone">
        <button type="button" className="icon-button" onClick={onMenu} aria-label={w.menu}>
          <Menu size={18} aria-hidden />
        </button>
        <span className="wordmark">ai-relay</span>
      </header>
      <div className="start-scroll">
        {wantsToken
          ? <TokenForm problem={problem} onToken={relay.enterToken} />
          : !may("prompt")
          ? <p className="lead">{w.share.choose}</p>
          : (
            <form className="start-form" onSubmit={onSubmit}>
              <h1>{w.startHeading}</h1>
              <p className="lead">
                {w.startLead}
              </p>
              {problem !== undefined && <p className="notice" data-level="error" role="alert">{problem}</p>}
              <AgentChoice agents={agents} chosen={tool} onChoose={(tool) => change({ tool })} />
              {tool !== undefined && tool !== demo.tool && (
                <div className="fields">
                  <FolderField
                    folder={form.folder}
                    home={relay.home}
                    onFolder={(folder) => change({ folder })}
                  />
                  {needsCommand(tool)
                    ? (
                      <Field
                        label={w.command}
                        value={form.command}
                        onValue={(command) => change({ command })}
                        required
                      />
                    )
                    : (
                      <Field
                        label={w.model}
                        value={form.model}
                        onValue={(model) => change({ model })}
                        {...(needsModel(tool, form)
                          ? { placeholder: "claude-sonnet-4-5", required: true }
                          : { hint: w.optional, placeholder: w.modelDefault })}
                      />
                    )}
                  {modes.length > 0 && (
                    <label className="field">
                      <span>{w.mode}</span>
                      <select value={form.mode} onChange={({ target }) => change({ mode: target.value })}>
                        <option value="">{w.modeDefault}</option>
                        {modes.map((mode) => <option key={mode} value={mode}>{modeName(mode)}</option>)}
                      </select>
                    </label>
                  )}
                  {tool === "cortex" && (
                    <>
                      <Field
                        label={w.accountUrl}
                        value={form.account_url}
                        onValue={(account_url) => change({ account_url })}
                        placeholder="https://acme-prod.snowflakecomputing.com"
                        required
                      />
                      <Field
                        label={w.accountToken}
                        hint={w.accountTokenHint}
                        value={token}
                        onValue={setToken}
                        secret
                      />
                      <Field
                        label={w.semanticView}
                        hint={w.semanticViewHint}
                        value={form.semantic_view}
                        onValue={(semantic_view) => change({ semantic_view })}
                        placeholder="sales.public.orders"
                      />
                    </>
                  )}
                </div>
              )}
              <button type="submit" className="button primary large" disabled={tool === undefined}>
                {tool === undefined
                  ? w.lookingForAgents
                  : tool === demo.tool
                  ? w.startDemo
                  : w.startSession}
              </button>
              <NativeList onContinue={goOn} />
            </form>
          )}
      </div>
    </main>
  )
}

/**
 * ToolAsk: asks whether a tool may run: once, for the session, with changed input, or not, with a reason.
 */
import { ShieldQuestion } from "lucide-react"
import { useMemo, useState } from "react"
import type { Answer } from "../../client/browser.js"
import { open } from "../../messages/read.js"
import type { AskItem, AskOption, Grant } from "../../messages/View.js"
import { w } from "../words/words.js"
import { type Shown, shownOf } from "./askArgs.js"
import { Boundary } from "./Boundary.js"
import { DiffView } from "./DiffView.js"
import { Exact } from "./Exact.js"
import { isComposing } from "./isComposing.js"
import { LongText } from "./LongText.js"
import { short, toJson } from "./plain.js"
import { useShortcuts } from "./useShortcuts.js"
import { lastPart, modeName } from "./words.js"

interface Props {
  readonly item: AskItem
  /** The agent accepts tool input edited by a person. */
  readonly canEdit: boolean
  readonly onAnswer: (answer: Answer) => void
}

const parse = (text: string): Record<string, unknown> | undefined => {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : undefined
  } catch {
    return undefined
  }
}

/** Longer or deeply nested input cannot be edited in a text box. */
const mostToEdit = 200_000

const toText = (args: unknown): string | undefined => {
  try {
    const text = JSON.stringify(args ?? {}, null, 2)
    return text.length <= mostToEdit ? text : undefined
  } catch {
    return undefined
  }
}

/** A command is edited as it is, anything else as JSON; undefined: not editable. */
const editorOf = (args: unknown, command: string | undefined) => {
  const text = toText(args)
  if (text === undefined) return undefined
  return command !== undefined && open(args)["command"] === command
    ? { text: command, read: (text: string) => ({ ...open(args), command: text }) }
    : { text, read: parse }
}

/** Lines of a command or an argument visible at once. */
const lines = 12
const chars = 600

const Argument = ({ name, value }: { readonly name: string; readonly value: unknown }) => (
  <div data-alarming={/danger|unsafe|bypass|no.?sandbox|disable.*sandbox/i.test(name)}>
    <dt>
      <Exact text={short(name)} />
    </dt>
    <dd>
      <LongText text={typeof value === "string" ? value : toJson(value)} lines={lines} chars={chars} exact />
    </dd>
  </div>
)

/** All of a tool's arguments, verbatim. */
export const Arguments = ({ rest }: Pick<Shown, "rest">) =>
  rest.length > 0 && (
    <dl className="ask-args" dir="ltr">
      {rest.map(([name, value]) => <Argument key={name} name={name} value={value} />)}
    </dl>
  )

const Heading = (
  { shown: { kind, leadsTo, path }, tool }: { readonly shown: Shown; readonly tool: string }
) => (
  <h2>
    <ShieldQuestion size={17} aria-hidden />{" "}
    <span>
      {kind === "run"
        ? w.askRun
        : kind === "edit"
        ? (
          <>
            {w.askEdit} <Exact text={lastPart(leadsTo ?? path ?? "")} />?
          </>
        )
        : (
          <>
            {w.askOther} <Exact text={tool} />?
          </>
        )}
    </span>
    <code className="ask-tool" title={w.tool}>
      <Exact text={tool} />
    </code>
  </h2>
)

const What = ({ shown: { command, leadsTo, path, proposal, rest } }: { readonly shown: Shown }) => (
  <>
    {path !== undefined && (
      <p className="ask-path" dir="ltr">
        <span className="visually-hidden">{w.path}</span> <LongText text={path} chars={chars} exact />
        {leadsTo !== undefined && (
          <strong>
            {w.leadsTo} <LongText text={leadsTo} chars={chars} exact />
          </strong>
        )}
      </p>
    )}
    {command !== undefined && (
      <pre
        className="ask-what"
        dir="ltr"
        tabIndex={0}
      ><LongText text={command} lines={lines} chars={chars} exact /></pre>
    )}
    {proposal !== undefined && <DiffView {...proposal} />}
    <Arguments rest={rest} />
  </>
)

/** What "for this session" means, as far as the agent says. */
const grantText = (grant: Grant): string =>
  grant.grants === "rule"
    ? w.grantRule(grant.rule)
    : grant.grants === "mode"
    ? w.grantMode(modeName(grant.mode))
    : w.grantFolder(grant.folder)

/** Ways to allow it for longer: the agent's own, with its names; ours only if it would make a difference. */
const lastingOf = ({ grants, options }: AskItem): ReadonlyArray<AskOption> => {
  if (grants?.length === 0) return []
  const lasting = options.filter(({ kind }) => kind === "allow_always")
  if (options.length === 0) return [{ option_id: "", name: w.allowForSession, kind: "allow_always" }]
  return grants === undefined ? lasting : lasting.map((option) => ({ ...option, name: w.allowForSession }))
}

export const ToolAsk = ({ canEdit, item, onAnswer }: Props) => {
  const { args, diff, grants, text, tool } = item
  const shown = useMemo(() => shownOf(tool, args, diff), [args, diff, tool])
  const lasting = lastingOf(item)
  const { command } = shown
  const editor = useMemo(() => canEdit ? editorOf(args, command) : undefined, [args, canEdit, command])
  const [mode, setMode] = useState<"ask" | "edit" | "deny">("ask")
  /** What one has come back from: its button gets the focus again. */
  const [left, setLeft] = useState<"ask" | "edit" | "deny">("ask")
  const goBack = () => {
    setLeft(mode)
    setMode("ask")
  }
  const [edited, setEdited] = useState(editor?.text ?? "")
  const [reason, setReason] = useState("")
  const updatedInput = editor?.read(edited)

  const allow = () => onAnswer({ behavior: "allow" })
  const allowAll = (option: AskOption | undefined) =>
    option && onAnswer({
      behavior: "allow",
      scope: "session",
      ...(option.option_id !== "" && { option_id: option.option_id })
    })
  const deny = (stop: boolean) =>
    onAnswer({
      behavior: "deny",
      ...(reason.trim() !== "" && { message: reason.trim() }),
      ...(stop && { stop })
    })
  useShortcuts({
    KeyA: allow,
    ...(lasting.length > 0 && { KeyS: () => allowAll(lasting[0]) }),
    KeyD: () => setMode("deny")
  })

  return (
    <section className="ask" aria-label={w.permission}>
      <Heading shown={shown} tool={tool} />
      {text !== "" && text !== command && (
        <p className="ask-text">
          <span className="muted">{w.agentSays}</span>{" "}
          <LongText text={text} lines={lines} chars={chars} exact />
        </p>
      )}
      {mode === "edit"
        ? (
          <textarea
            className="ask-editor"
            value={edited}
            onChange={({ target }) => setEdited(target.value)}
            aria-label={w.toolInput}
            aria-invalid={updatedInput === undefined}
            rows={Math.min(14, edited.split("\n").length + 1)}
            spellCheck={false}
            autoFocus
          />
        )
        : (
          <Boundary text={() => toJson(args)}>
            <What shown={shown} />
          </Boundary>
        )}
      {mode === "ask" && grants !== undefined && grants.length > 0 && (
        <p className="ask-grants">
          <Exact text={w.sessionGrants(w.listOf(grants.map(grantText)))} />
        </p>
      )}
      {mode === "deny" && (
        <input
          className="ask-reason"
          value={reason}
          onChange={({ target }) => setReason(target.value)}
          onKeyDown={({ key, nativeEvent }) => key === "Enter" && !isComposing(nativeEvent) && deny(false)}
          placeholder={w.denyReason}
          aria-label={w.reason}
          autoFocus
        />
      )}
      <div className="ask-buttons">
        {mode === "ask" && (
          <>
            <button type="button" className="button primary" onClick={allow} title="Alt+A">
              {w.allowOnce}
            </button>
            {lasting.map((option, index) => (
              <button
                key={`${option.option_id} ${option.name}`}
                type="button"
                className="button"
                onClick={() => allowAll(option)}
                {...(index === 0 && { title: "Alt+S" })}
              >
                <Exact text={short(option.name, 80)} />
              </button>
            ))}
            {editor !== undefined && (
              <button
                type="button"
                className="button"
                onClick={() => setMode("edit")}
                autoFocus={left === "edit"}
              >
                {w.edit}
              </button>
            )}
            <button
              type="button"
              className="button danger"
              onClick={() => setMode("deny")}
              title="Alt+D"
              autoFocus={left === "deny"}
            >
              {w.deny}
            </button>
          </>
        )}
        {mode === "edit" && (
          <>
            <button
              type="button"
              className="button primary"
              disabled={updatedInput === undefined}
              onClick={() => updatedInput && onAnswer({ behavior: "allow", updatedInput })}
            >
              {w.allowAsEdited}
            </button>
            <button type="button" className="button" onClick={goBack}>{w.back}</button>
          </>
        )}
        {mode === "deny" && (
          <>
            <button type="button" className="button danger solid" onClick={() => deny(false)}>
              {w.deny}
            </button>
            <button type="button" className="button danger" onClick={() => deny(true)}>
              {w.denyAndStop}
            </button>
            <button type="button" className="button" onClick={goBack}>{w.back}</button>
          </>
        )}
      </div>
    </section>
  )
}

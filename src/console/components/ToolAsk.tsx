/** ToolAsk: may this tool run? Once, for the session, with other input, or not, and why. */
import { ShieldQuestion } from "lucide-react"
import { useMemo, useState } from "react"
import type { Answer } from "../../client/browser.js"
import { open } from "../model/read.js"
import type { AskItem } from "../model/View.js"
import { DiffView } from "./DiffView.js"
import { proposedDiff } from "./proposal.js"
import { commandOf, toolSubject, toolVerb } from "./toolWords.js"
import { useShortcuts } from "./useShortcuts.js"
import { lastPart } from "./words.js"

interface Props {
  readonly item: AskItem
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

/** A command is edited as it is, anything else as JSON. */
const editorOf = (args: unknown) => {
  const command = open(args)["command"]
  return typeof command === "string"
    ? { text: command, read: (text: string) => ({ ...open(args), command: text }) }
    : { text: JSON.stringify(args ?? {}, null, 2), read: parse }
}

export const ToolAsk = ({ item: { args, options, text, tool }, onAnswer }: Props) => {
  const editor = editorOf(args)
  const [mode, setMode] = useState<"ask" | "edit" | "deny">("ask")
  const [edited, setEdited] = useState(editor.text)
  const [reason, setReason] = useState("")
  const updatedInput = editor.read(edited)
  const forSession = options.length === 0 || options.some(({ kind }) => kind === "allow_always")
  const command = commandOf(args)
  const proposal = useMemo(() => proposedDiff(args), [args])
  const what = proposal !== undefined
    ? `Change ${lastPart(proposal.file_path)}`
    : command !== undefined
    ? "Run this command"
    : toolVerb(tool)

  const allow = () => onAnswer({ behavior: "allow" })
  const allowAll = () => onAnswer({ behavior: "allow", scope: "session" })
  const deny = (stop: boolean) =>
    onAnswer({
      behavior: "deny",
      ...(reason.trim() !== "" && { message: reason.trim() }),
      ...(stop && { stop })
    })
  useShortcuts({ KeyA: allow, ...(forSession && { KeyS: allowAll }), KeyD: () => setMode("deny") })

  return (
    <section className="ask" aria-label="Permission">
      <h2>
        <ShieldQuestion size={17} aria-hidden /> {what}?
      </h2>
      {text !== "" && text !== command && <p className="ask-text">{text}</p>}
      {mode === "edit"
        ? (
          <textarea
            className="ask-editor"
            value={edited}
            onChange={({ target }) => setEdited(target.value)}
            aria-label="Input of the tool"
            aria-invalid={updatedInput === undefined}
            rows={Math.min(14, edited.split("\n").length + 1)}
            spellCheck={false}
            autoFocus
          />
        )
        : proposal !== undefined
        ? <DiffView {...proposal} />
        : (
          <pre
            className="ask-what"
            tabIndex={0}
          >{command ?? (toolSubject(args) || JSON.stringify(args, null, 2))}</pre>
        )}
      {mode === "deny" && (
        <input
          className="ask-reason"
          value={reason}
          onChange={({ target }) => setReason(target.value)}
          onKeyDown={({ key }) => key === "Enter" && deny(false)}
          placeholder="Tell the agent why, or what to do instead (optional)"
          aria-label="Reason"
          autoFocus
        />
      )}
      <div className="ask-buttons">
        {mode === "ask" && (
          <>
            <button type="button" className="button primary" onClick={allow} title="Alt+A">Allow once</button>
            {forSession && (
              <button type="button" className="button" onClick={allowAll} title="Alt+S">
                Allow for session
              </button>
            )}
            <button type="button" className="button" onClick={() => setMode("edit")}>Edit</button>
            <button type="button" className="button danger" onClick={() => setMode("deny")} title="Alt+D">
              Deny
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
              Allow as edited
            </button>
            <button type="button" className="button" onClick={() => setMode("ask")}>Back</button>
          </>
        )}
        {mode === "deny" && (
          <>
            <button type="button" className="button danger solid" onClick={() => deny(false)}>Deny</button>
            <button type="button" className="button danger" onClick={() => deny(true)}>Deny and stop</button>
            <button type="button" className="button" onClick={() => setMode("ask")}>Back</button>
          </>
        )}
      </div>
    </section>
  )
}

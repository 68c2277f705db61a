/**
 * messages: text, streamed and whole. A whole text replaces its deltas, which were only a preview.
 */
import type { EventOf, RelayEvent } from "../client/browser.js"
import type { ImageBlock } from "../schema/index.js"
import { add, change, type Draft, findLast, running } from "./Draft.js"
import type { TextItem } from "./View.js"

type Kind = TextItem["kind"]
type Envelope = Pick<RelayEvent, "seq" | "ts">

const textItem = (kind: Kind, { seq, ts }: Envelope, text: string, whole: boolean): TextItem => ({
  kind,
  key: `e${seq}`,
  ts,
  text,
  whole
})

const setOpen = (draft: Draft, kind: Kind, index: number | undefined) => {
  const { [kind]: _closed, ...rest } = draft.turn?.open ?? {}
  running(draft, { open: index === undefined ? rest : { ...rest, [kind]: index } })
}

/** A delta of a streaming text. */
export const piece = (draft: Draft, kind: Kind, text: string, event: Envelope) => {
  const index = draft.turn?.open[kind]
  const item = index === undefined ? undefined : draft.items[index]
  if (index !== undefined && item?.kind === kind) {
    return change(draft, index, kind, { text: item.text + text })
  }
  setOpen(draft, kind, add(draft, textItem(kind, event, text, false)))
}

/** A text is complete. */
export const whole = (draft: Draft, kind: Kind, text: string, event: Envelope) => {
  const index = draft.turn?.open[kind]
  if (index === undefined) {
    if (text.trim() !== "") add(draft, textItem(kind, event, text, true))
  } else change(draft, index, kind, { text, whole: true, ended_at: event.ts })
  setOpen(draft, kind, undefined)
  if (kind === "text") running(draft, { said: text })
}

/** Texts still streaming will not continue: they stay as they are. */
export const closeOpen = (draft: Draft) => {
  const { reasoning, text } = draft.turn?.open ?? {}
  if (text !== undefined) change(draft, text, "text", { whole: true })
  if (reasoning !== undefined) change(draft, reasoning, "reasoning", { whole: true })
  running(draft, { open: {} })
}

/** The final answer: usually the last text again. */
export const response = (draft: Draft, text: string, event: Envelope) => {
  if (draft.turn?.said !== undefined || text.trim() === "") return
  whole(draft, "text", text, event)
}

const isImage = (block: { readonly type: string }): block is ImageBlock => block.type === "image"

/** Output of a Claude command comes as a user message. */
const local = /^\s*<local-command-(?:stdout|stderr)>([^]*?)<\/local-command-(?:stdout|stderr)>\s*$/

const printed = (draft: Draft, output: string, { seq, ts }: Envelope) => {
  const text = output.replaceAll(/\u001b\[[\d;]*m/g, "").trim()
  if (text === "" || text === "(no content)") return
  // Claude sends some of it twice.
  const last = draft.items.at(-1)
  if (last?.kind === "notice" && last.text === text) return
  add(draft, { kind: "notice", key: `e${seq}`, ts, level: "info", text, printed: true })
}

/** The user's message as the agent received it: it has the images, which the turn's start lacks. */
export const echo = (
  draft: Draft,
  { content, text = "" }: EventOf<"user_message">,
  { seq, ts }: Envelope
) => {
  // Blocks are passed on as the agent sent them; an image has the format clients send.
  const output = local.exec(text)?.[1]
  if (output !== undefined) return printed(draft, output, { seq, ts })
  if (/^\s*<(?:command-name|command-message|local-command-caveat)>/.test(text)) return
  const images = (content as ReadonlyArray<{ readonly type: string }>).filter(isImage)
  const said = text.trim()
  if (said === "" && images.length === 0) return
  const index = findLast(draft, "user", (item) => item.text.trim() === said)
  if (index >= (draft.turn?.from ?? 0)) {
    if (images.length > 0) change(draft, index, "user", { images })
    return
  }
  // A resumed conversation repeats earlier messages; a running turn has its own prompt.
  if (draft.turn === undefined) add(draft, { kind: "user", key: `e${seq}`, ts, text, images, steered: false })
}

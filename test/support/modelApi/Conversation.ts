/**
 * Conversation: what a request's messages say, without the API's shape, and which step of which rule comes next.
 *
 * The last text a user wrote decides the rule, the tool results after it the step. Nothing is remembered between
 * requests, so a retry gets the same step again, and a resumed conversation goes on where it was.
 */

import type { Step } from "./script.js"

export type Entry =
  | { readonly kind: "prompt"; readonly text: string }
  | { readonly kind: "model" }
  | { readonly kind: "result" }
  /** What comes after has nothing to do with the tool loop before it. */
  | { readonly kind: "boundary" }

export interface Rule {
  readonly pattern: RegExp
  readonly steps: ReadonlyArray<Step>
}

export interface Selection {
  readonly prompt: string
  readonly rule: Rule | undefined
  /** Tool loops since the prompt: 0 is its first call to the model. */
  readonly round: number
}

const prompt = (text: string): Entry => ({ kind: "prompt", text })
const boundary: Entry = { kind: "boundary" }

// What the CLIs write around and between the user's own words.
const tags =
  "system-reminder|environment_context|user_instructions|INSTRUCTIONS|session_context|session|context|skill"
  + "|command-name|command-message|command-args|local-command-stdout|local-command-caveat|hook_context"
const wrapped = new RegExp(`<(${tags})\\b[^>]*>[\\s\\S]*?</\\1>`, "g")
const interrupted = /^\s*(\[Request interrupted by user|<turn_aborted>)/
const agentsFile = /^# AGENTS\.md instructions.*$/m

/** Claude Code says where it keeps an image, behind the words it came with. */
const imagePlace = /^\[Image: source: [^\]]*\]$/

/** A text in the user's role: the user's words, the trace of an interrupt, or nothing that a user wrote. */
export const fromUserText = (text: string): ReadonlyArray<Entry> => {
  if (interrupted.test(text)) return [boundary]
  const own = text.replaceAll(wrapped, "").replace(agentsFile, "").trim()
  return own === "" || imagePlace.test(own) ? [] : [prompt(own)]
}

/** Parallel calls are one round, whatever the number of their results. */
const roundsAfter = (entries: ReadonlyArray<Entry>, index: number): number =>
  entries.filter((entry, at) => at > index && entry.kind === "result" && entries[at - 1]?.kind !== "result")
    .length

/** A later rule goes before an earlier one, so that a test can override what its suite has set. */
export const select = (rules: ReadonlyArray<Rule>, entries: ReadonlyArray<Entry>): Selection => {
  const last = entries.findLastIndex(({ kind }) => kind === "prompt")
  for (let at = last; at >= 0; at--) {
    const entry = entries[at]
    if (entry?.kind !== "prompt") continue
    const rule = rules.findLast(({ pattern }) => pattern.test(entry.text))
    if (rule !== undefined) return { prompt: entry.text, rule, round: roundsAfter(entries, at) }
    // No rule knows it: said into a running tool loop it does not end the script, else it is a prompt of its own.
    const before = entries.findLast(({ kind }, index) => index < at && kind !== "prompt")
    if (before?.kind !== "result") break
  }
  const entry = entries[last]
  return {
    prompt: entry?.kind === "prompt" ? entry.text : "",
    rule: undefined,
    round: roundsAfter(entries, last)
  }
}

/**
 * script: the words a test uses to say what the model does, the same for every agent.
 *
 * A script is a list of steps, one for each call to the model: the first call of a prompt gets the first step, the call
 * after its tool result the second. `reply`, `slow`, `cut`, `hang` and `fail` make steps; a tool is named neutrally and
 * becomes what the calling CLI offers (`Bash`, `exec_command`, `run_shell_command`).
 */

export type Tool =
  /** `escalate` asks to run outside the sandbox, which makes Codex ask for approval; the others ask anyway. */
  | { readonly kind: "shell"; readonly command: string; readonly escalate?: boolean }
  | { readonly kind: "read"; readonly path: string }
  | { readonly kind: "write"; readonly path: string; readonly content: string }
  /** Whole lines, for Codex patches by line. Claude wants the file read or written before, in the same conversation. */
  | { readonly kind: "edit"; readonly path: string; readonly old: string; readonly new: string }
  /** The CLI's own name and input, word for word; `namespace` is what Codex keeps the tools of an MCP server in. */
  | { readonly name: string; readonly namespace?: string; readonly input: object }

export interface Reply {
  readonly thinking?: string
  /** A list is streamed chunk by chunk; a string is one chunk. */
  readonly text?: string | ReadonlyArray<string>
  /** Between two chunks of text. */
  readonly delayMs?: number
  /** After the first chunk of text the stream waits for this promise. */
  readonly hold?: Promise<unknown>
  readonly tool?: Tool
  /** Several calls in one answer. */
  readonly tools?: ReadonlyArray<Tool>
  readonly usage?: { readonly input: number; readonly output: number }
  readonly stop?: "end_turn" | "max_tokens" | "refusal"
  /** Response headers, for example Codex's `x-codex-primary-used-percent`. */
  readonly headers?: Readonly<Record<string, string>>
}

/** `prompt_too_long` and `usage_limit` become what each API answers then; a number is the HTTP status. */
export type Failure = number | "prompt_too_long" | "usage_limit"

export interface FailOptions {
  readonly type?: string
  readonly message?: string
  readonly headers?: Readonly<Record<string, string>>
  /** Fail so often, then go on with the next step: what a CLI's retry meets. Without it every retry fails. */
  readonly times?: number
  /** Status 200 and an error event in the stream. */
  readonly inStream?: boolean
}

export type Step =
  | { readonly kind: "reply"; readonly reply: Reply; readonly ending: "whole" | "cut" | "hang" }
  | { readonly kind: "fail"; readonly failure: Failure; readonly options: FailOptions }

export const reply = (reply: Reply): Step => ({ kind: "reply", reply, ending: "whole" })

/** `n` chunks ("tick 1 tick 2 …"), `delayMs` apart. */
export const slow = (n: number, delayMs: number): Step =>
  reply({ text: Array.from({ length: n }, (_, index) => `tick ${index + 1} `), delayMs })

/** Streams the text (and thinking) of the partial reply, then the socket is gone. */
export const cut = (partial: Reply = { text: "Half a sen" }): Step => ({
  kind: "reply",
  reply: partial,
  ending: "cut"
})

/** Streams the text of the partial reply, if it has one, and falls silent until the caller hangs up. */
export const hang = (partial: Reply = {}): Step => ({ kind: "reply", reply: partial, ending: "hang" })

export const fail = (failure: Failure, options: FailOptions = {}): Step => ({
  kind: "fail",
  failure,
  options
})

export const defaultReply = "Hello from the scripted model."

export const chunksOf = ({ text }: Reply): ReadonlyArray<string> =>
  text === undefined ? [] : typeof text === "string" ? [text] : text

export const toolsOf = ({ tool, tools = [] }: Reply): ReadonlyArray<Tool> =>
  tool === undefined ? tools : [tool, ...tools]

export const usageOf = ({ usage }: Reply) => usage ?? { input: 10, output: 5 }

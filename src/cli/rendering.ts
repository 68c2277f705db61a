/**
 * rendering: turns a session's events into text for a shell. Only the answer goes to stdout; what the agent does goes to
 * stderr, in short. Text is made safe to print (printable.ts).
 */
import type { RelayEvent } from "../client/browser.js"
import { makePlain, plain, visibleLine } from "./printable.js"

export interface Shown {
  /** For stdout. */
  readonly out?: string
  /** For stderr. */
  readonly err?: string
}

/** How many characters of a tool's arguments or error are shown. */
const briefLength = 100

export const brief = (text: string, length = briefLength): string => {
  const [first = ""] = text.trim().split(/\r?\n/, 1)
  const line = visibleLine(first)
  return line.length > length || text.trim().length > first.length ? `${line.slice(0, length - 1)}…` : line
}

/** The most telling argument, such as a command or a path; if there is none, all arguments. */
export const argumentsOf = (args: unknown): string => {
  if (typeof args !== "object" || args === null) return args === undefined ? "" : brief(String(args))
  const fields = Object.entries(args)
  const said = ["command", "file_path", "path", "pattern", "url", "query"]
    .flatMap((name) => fields.filter(([field]) => field === name)).map(([, value]) => value)
    .find((value) => typeof value === "string")
  return brief(typeof said === "string" ? said : JSON.stringify(args))
}

const changesIn = (diff: string): string => {
  const lines = diff.split("\n")
  const count = (sign: string) =>
    lines.filter((line) => line.startsWith(sign) && !line.startsWith(sign.repeat(3))).length
  return `+${count("+")} -${count("-")}`
}

const endings: Readonly<Record<string, string>> = {
  cancelled: "The turn was stopped.",
  refusal: "The agent refused.",
  max_tokens: "The agent reached its limit of tokens.",
  max_turn_requests: "The agent reached its limit of requests in a turn."
}

/** Statuses of the relay that are shown to the person. */
const shownStatus = new Set([
  "budget",
  "limited",
  "limit_over",
  "on_limit",
  "schedule",
  "driver",
  "drive_requested"
])

/** Makes a function that is called with each event in order and gives the text to print. It keeps track of what was printed. */
export const make = (options: { readonly colour: boolean }) => {
  const dim = (text: string) => options.colour ? `\u001b[2m${text}\u001b[0m` : text
  /** The last line on stdout has no line feed yet. */
  let open = false
  /** Whether text of this message, and of this turn, was already printed. */
  let streamed = false
  let spoken = false
  /** Kept between deltas, which may end in the middle of an escape code. */
  let plainPiece = makePlain()
  const plainOutput = makePlain()

  const say = (text: string): Shown => {
    if (text === "") return {}
    open = !text.endsWith("\n")
    spoken = true
    return { out: text }
  }
  const close = (): string => {
    const end = open ? "\n" : ""
    open = false
    return end
  }
  const note = (text: string): Shown => ({ out: close(), err: `${dim(text)}\n` })

  return (event: RelayEvent): Shown => {
    switch (event.type) {
      case "turn_start":
        streamed = spoken = false
        plainPiece = makePlain()
        return {}
      case "stream_event":
        if (event.delta !== "text") return {}
        streamed = true
        return say(plainPiece(event.text ?? ""))
      case "assistant_message": {
        const shown = streamed ? {} : say(plain(event.text ?? ""))
        streamed = false
        plainPiece = makePlain()
        return { out: (shown.out ?? "") + close() }
      }
      case "response":
        return spoken ? { out: close() } : { out: (say(plain(event.text)).out ?? "") + close() }
      case "tool_call":
        return note(`  ${visibleLine(event.tool)} ${argumentsOf(event.args)}`.trimEnd())
      case "tool_result":
        return event.status === "error" ? note(`    failed: ${brief(event.text ?? "")}`) : {}
      case "file_diff":
        return note(`  ${visibleLine(event.file_path)} ${changesIn(event.diff)}`)
      case "status":
        return shownStatus.has(event.status) && event.text !== undefined ? note(`! ${plain(event.text)}`) : {}
      case "turn_end":
        return event.stop_reason in endings ? note(endings[event.stop_reason] ?? "") : { out: close() }
      case "error":
      case "quota_warning":
        return note(`! ${plain(event.text)}`)
      case "context_warning":
        return note(`! The context window is ${Math.round(event.context_pct)} % full.`)
      case "stdout":
        return { out: plainOutput(event.text) }
      case "stderr":
        return { out: close(), err: `${plain(event.text)}\n` }
      case "session_end":
        return { out: close() }
      default:
        return {}
    }
  }
}

/**
 * earlyAcp: answers an editor's `initialize` before the program is loaded. Editors show nothing until they have that answer,
 * and loading takes longer than everything else. The request still reaches the agent (`serveAcp.ts`); only the answer is not
 * sent twice.
 */
import { initialized } from "../fronts/acp/initialized.js"
import { version } from "../services/version.js"

/** How long to wait for the editor's first message before loading the program, in ms. */
const silentFor = 200
/** Longest first message to look at, in bytes; anything longer is no `initialize` and goes to the agent. */
const longest = 64 * 1024

/** One process has one stdin. */
let answered: unknown

const isInitialize = (message: unknown): message is { readonly id: string | number } =>
  typeof message === "object" && message !== null && "method" in message && message.method === "initialize"
  && "id" in message && (typeof message.id === "number" || typeof message.id === "string")

const read = (line: string): unknown => {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

/** Answers if the first line is an `initialize`; resolves when the program may be loaded. Stdin can be read from the start again. */
export const answerEarly = (): Promise<void> =>
  new Promise((resolve) => {
    const { stdin, stdout } = process
    const heard: Array<Buffer> = []
    let isOver = false
    const finish = () => {
      if (isOver) return
      isOver = true
      clearTimeout(timer)
      stdin.off("data", onData).off("end", finish).off("error", finish).pause()
      // A line that was still incomplete when stdin ended is no message.
      if (heard.length > 0 && !stdin.readableEnded && !stdin.destroyed) stdin.unshift(Buffer.concat(heard))
      resolve()
    }
    const onData = (chunk: Buffer) => {
      heard.push(chunk)
      const text = Buffer.concat(heard).toString("utf8")
      const end = text.indexOf("\n")
      if (end < 0 && text.length < longest) return
      const message = end < 0 ? undefined : read(text.slice(0, end))
      if (isInitialize(message)) {
        answered = message.id
        stdout.write(`${JSON.stringify({ jsonrpc: "2.0", id: message.id, result: initialized(version) })}\n`)
      }
      finish()
    }
    // On a busy machine, input that has arrived is still read before the timer counts.
    const timer = setTimeout(() => setImmediate(finish), silentFor)
    stdin.on("data", onData).once("end", finish).once("error", finish)
  })

/** Whether this answer was already sent; true only the first time it is asked. */
export const wasAnswered = (message: object): boolean => {
  if (answered === undefined || !("result" in message) || !("id" in message) || message.id !== answered) {
    return false
  }
  answered = undefined
  return true
}

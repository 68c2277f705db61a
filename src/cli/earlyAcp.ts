/**
 * earlyAcp: editors start `ai-relay acp` and wait for the answer to `initialize` before they show anything. Loading the
 * program takes longer than all the rest, so that answer is given before it; what an editor says goes to the agent all the
 * same (`serveAcp.ts`), only the answer is not given twice.
 */
import { initialized } from "../fronts/acp/initialized.js"
import { version } from "../services/version.js"

/** An editor that says nothing for so long, in ms, has the program loaded meanwhile. */
const silentFor = 200
/** An `initialize` is shorter; whatever is not goes to the agent unseen. */
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

/** Answers, if the first line asks to; resolves when the program may be loaded. What was read can be read again. */
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
      if (heard.length > 0) stdin.unshift(Buffer.concat(heard))
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
    // What came meanwhile is read first, however busy the machine is.
    const timer = setTimeout(() => setImmediate(finish), silentFor)
    stdin.on("data", onData).once("end", finish).once("error", finish)
  })

/** This answer was given already: asked once, of each. */
export const wasAnswered = (message: object): boolean => {
  if (answered === undefined || !("result" in message) || !("id" in message) || message.id !== answered) {
    return false
  }
  answered = undefined
  return true
}

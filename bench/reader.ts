/**
 * reader: a client in a process of its own, as another user has it. It sends a prompt again and again and reads the
 * answers, until it is told to end: `reader URL PROMPT [GREETING]`.
 */
import { converse } from "./Client.js"

const [url = "", prompt = "", greeting] = process.argv.slice(2)
const client = await converse(url, greeting)
const enough = new AbortController()
process.once("message", () => enough.abort())
process.send?.("reads")
while (!enough.signal.aborted) {
  const ended = client.ended()
  client.send(prompt)
  await ended
}
await client.close()
process.disconnect()

/**
 * reader: a client in a process of its own, as another user has it. It sends a prompt again and again and reads the
 * answers, until it is told to end: `reader URL GREETING PROMPT`, the greeting empty where none is wanted.
 */
import { connect } from "./Client.js"

const [url = "", greeting = "", prompt = ""] = process.argv.slice(2)
const client = await connect(url)
if (greeting !== "") {
  client.send(greeting)
  await client.has(1)
}
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

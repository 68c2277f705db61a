/**
 * node: talk to an agent from a script, through a relay that runs (`npm start`).
 *
 * `npx tsx examples/node.ts "What is in this folder?"`. AI_RELAY_URL and AI_RELAY_TOOL name another relay, another agent.
 */
import { connect } from "ai-relay/client"

const { AI_RELAY_TOOL = "claude", AI_RELAY_URL = "ws://localhost:8765" } = process.env
const question = process.argv[2] ?? "What is in this folder?"

const session = connect({
  url: AI_RELAY_URL,
  tool: AI_RELAY_TOOL,
  folder: process.cwd(),
  onPermission: ({ tool }) => {
    console.error(`${tool} may not run: this script only asks.`)
    return "deny"
  }
})

const answered = session.ask(question)
for await (const event of session) {
  if (event.type === "stream_event" && event.delta === "text") process.stdout.write(event.text ?? "")
  if (event.type === "tool_call") console.error(`[${event.tool}]`)
  if (event.type === "turn_end" || event.type === "error") break
}
const { stop_reason, text } = await answered
console.log(`\nThe answer has ${text.length} characters (${stop_reason}).`)
await session.end()

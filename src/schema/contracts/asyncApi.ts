/** asyncApi: the WebSocket as AsyncAPI 3, from the relay's side: it receives commands and sends events. */
import { commands, events, type Frame, handshake } from "./frames.js"
import { definitionsAt, type Json, version } from "./jsonSchema.js"

const refs = (place: string, frames: ReadonlyArray<Frame>) =>
  frames.map(({ name }) => ({ $ref: `#/${place}/${name}` }))

const operation = (action: "receive" | "send", summary: string, frames: ReadonlyArray<Frame>): Json => ({
  action,
  summary,
  channel: { $ref: "#/channels/relay" },
  messages: refs("channels/relay/messages", frames)
})

export const asyncApi = (): Json => {
  const frames = [handshake, ...commands, ...events]
  return {
    asyncapi: "3.0.0",
    info: {
      title: "ai-relay",
      version,
      description:
        "One WebSocket event stream for any AI coding agent. docs/protocol.md has examples of every frame.",
      license: { name: "MIT" }
    },
    defaultContentType: "application/json",
    servers: {
      local: { host: "localhost:8765", protocol: "ws", description: "`ai-relay`, on this machine" },
      container: { host: "localhost:9000", protocol: "ws", description: "`ai-relay serve`" }
    },
    channels: {
      relay: {
        address: "/",
        description:
          "Any path except /acp. One JSON object per text frame; a frame that is not an object is a prompt.",
        messages: Object.fromEntries(
          frames.map(({ name }) => [name, { $ref: `#/components/messages/${name}` }])
        )
      }
    },
    operations: {
      shakeHands: operation("receive", "The first frame, within 10 s.", [handshake]),
      command: operation("receive", "Commands of the client.", commands),
      tell: operation("send", "Everything that happens in the session, in order.", events)
    },
    components: {
      messages: Object.fromEntries(
        frames.map(({ about, name }) => [
          name,
          { name, title: name, summary: about, payload: { $ref: `#/components/schemas/${name}` } }
        ])
      ),
      schemas: definitionsAt("#/components/schemas/")
    }
  }
}

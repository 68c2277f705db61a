/**
 * DemoAdapter: `{"tool":"demo"}`, an agent that needs no program, key or network. Each prompt plays a
 * recorded turn in real time, including permissions and questions, to show how a page handles everything an
 * agent can send. `AI_RELAY_DEMO_SPEED` multiplies the speed, for page tests.
 */
import { Config, ConfigProvider, Effect, Layer } from "effect"
import { type AgentCommand, EventSink } from "../Adapter.js"
import { AgentAdapter } from "../AgentDescriptor.js"
import { demoIfDenied, demoRecording } from "./demoScript.js"
import { demo } from "./descriptors.js"
import { perform } from "./perform.js"

const models = [
  { value: "demo", displayName: "Demo", description: "A recording" },
  { value: "demo-again", displayName: "Demo, again", description: "The same recording" }
]
const permission_modes = ["default", "acceptEdits", "plan"]
const commands = [
  { name: "demo", description: "Play the recording", argumentHint: "" },
  { name: "compact", description: "Summarize the conversation", argumentHint: "" }
]
/** Prompts a page may suggest. */
const suggestions = ["Why is the total of some carts a cent too high?"]

const givenSpeed = Effect.gen(function*() {
  const speed = yield* Config.Finite("AI_RELAY_DEMO_SPEED")
  return speed > 0 ? speed : 1
}).pipe(
  Effect.orElseSucceed(() => 1),
  Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromEnv())
)

const open = Effect.fnUntraced(function*() {
  const sink = yield* EventSink
  const speed = yield* givenSpeed
  const { started, ...session } = yield* perform({
    cmd: ["demo"],
    recording: demoRecording,
    ifDenied: demoIfDenied,
    onPrompt: true,
    encore: true,
    speed
  })

  const send = (command: AgentCommand) => {
    const tell = (metadata: Readonly<Record<string, unknown>>, status: string) =>
      Effect.sync(() => sink.emit({ type: "status", status, metadata }))
    if (command.type === "set_model") return tell({ model: command.model }, "model")
    if (command.type === "set_permission_mode") {
      return tell({ permission_mode: command.mode }, "permission_mode")
    }
    return session.send(command)
  }

  return {
    ...session,
    send,
    started: {
      ...started,
      capabilities: { ...started.capabilities, set_model: true, permission_modes },
      metadata: { model: "demo", permission_mode: "default", models, commands, suggestions }
    }
  }
})

export const layer = () => Layer.succeed(AgentAdapter, { tool: demo.tool, open })

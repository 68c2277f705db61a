/** The `ai-relay` program. The only place that runs effects to the end. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Effect, Layer, Terminal } from "effect"
import { run } from "./cli.js"

const asksNothing = Effect.die(new Error("ai-relay asks nothing while it reads its arguments"))

/** The parser of arguments wants one for questions; Node's own would load what reads keys at each start. */
const NoTerminal = Layer.succeed(
  Terminal.Terminal,
  Terminal.Terminal.of({
    columns: Effect.succeed(80),
    rows: Effect.succeed(24),
    isTTY: Effect.succeed(false),
    readInput: asksNothing,
    readLine: asksNothing,
    display: () => asksNothing
  })
)

run(process.argv).pipe(
  Effect.provide(Layer.mergeAll(NodeFileSystem.layer, NodePath.layer, NoTerminal)),
  NodeRuntime.runMain({ disableErrorReporting: true, disablePrettyLogger: true })
)

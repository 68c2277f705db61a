/** The `ai-relay` program. The only place that runs effects to the end. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Cause, Effect, Exit, Layer, Stdio, Terminal } from "effect"
import { ChildProcessSpawner } from "effect/process"
import { run } from "./cli.js"
import { endInOrder } from "./hangUp.js"

const asksNothing = Effect.die(new Error("ai-relay asks nothing while it reads its arguments"))

/** The parser of arguments wants one for questions; Node's own would load what reads keys at each start. */
const NoTerminal = Layer.succeed(
  Terminal.Terminal,
  Terminal.make({
    columns: Effect.succeed(80),
    rows: Effect.succeed(24),
    size: asksNothing,
    readInput: asksNothing,
    readLine: asksNothing,
    display: () => asksNothing
  })
)

/** The parser wants what runs programs and reads files for commands that would; ours get what they need themselves. */
const NoProcesses = Layer.succeed(
  ChildProcessSpawner.ChildProcessSpawner,
  ChildProcessSpawner.make(() => asksNothing)
)

/** Who only serves needs no reader; what was asked for and cannot be printed any more need not go on. */
const [first = "-"] = process.argv.slice(2)
const isServing = first.startsWith("-") || first === "serve" || first === "lab"
if (isServing) endInOrder()
process.stderr.on("error", () => {})
process.stdout.on("error", () => isServing ? undefined : process.exit(0))

run(process.argv).pipe(
  Effect.provide(
    Layer.mergeAll(NodeFileSystem.layer, NodePath.layer, NoTerminal, NoProcesses, Stdio.layerTest({}))
  ),
  NodeRuntime.runMain({
    disableErrorReporting: true,
    // A relay that was told to stop has done as it was told.
    teardown: (exit, onExit) => onExit(Exit.isFailure(exit) && !Cause.hasInterruptsOnly(exit.cause) ? 1 : 0)
  })
)

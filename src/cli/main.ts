/** main: the `ai-relay` program; runs the command's effect and exits with its code. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Cause, Effect, Exit, Layer, Stdio, Terminal } from "effect"
import { ChildProcessSpawner } from "effect/process"
import { run } from "./cli.js"
import { endInOrder } from "./hangUp.js"

const asksNothing = Effect.die(new Error("ai-relay asks nothing while it reads its arguments"))

/** The argument parser requires a Terminal for its questions. Node's would load code that reads keys at each start. */
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

/** The argument parser requires a spawner too; our commands provide what they need themselves. */
const NoProcesses = Layer.succeed(
  ChildProcessSpawner.ChildProcessSpawner,
  ChildProcessSpawner.make(() => asksNothing)
)

/** A server goes on when nobody reads its output; any other command ends when its output cannot be printed. */
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
    // Being told to stop is not a failure.
    teardown: (exit, onExit) => onExit(Exit.isFailure(exit) && !Cause.hasInterruptsOnly(exit.cause) ? 1 : 0)
  })
)

export { whenWarm } from "../services/process/warmUp.js"

/**
 * Watcher: outlives the relay, however that dies, and ends all agents it knows of with everything they started.
 *
 * It is a shell that waits for the end of a pipe, which takes 2 MB where Node takes 42. It runs in its own session, so that a
 * Ctrl-C for the relay does not reach it, and exits when the relay ends in an orderly way. If the pipe just ends, the relay is
 * dead: the shell suspends the agents' process groups, so that nobody gets away meanwhile, and becomes the reaper
 * (`reaper.ts`), whose source it has held since its start, so that an upgrade of the package cannot change it. If Node no
 * longer starts, it kills the groups.
 */
import { type ChildProcess, spawn } from "node:child_process"
import { Socket } from "node:net"
import { reaperSource } from "./reaperSource.js"

export interface Watcher {
  /** A program was started. `family` is one word that begins with its pid and a colon. */
  readonly watch: (family: string) => void
  /** The program was ended. */
  readonly unwatch: (family: string) => void
  /** The relay ends, and nothing needs to be watched. */
  readonly dismiss: () => void
}

/**
 * Each family has a slot, a variable of its own: with a list in one variable, as many agents as a relay may have, ending in any
 * order, kept the shell busy for hours, and a relay that was killed meanwhile left them all behind.
 */
const script = `
trap '' HUP INT QUIT TERM
end=0
while read -r sign slot family; do
  case $sign in
    +) eval "f$slot=\\$family"; [ "$slot" -lt "$end" ] || end=$((slot + 1)) ;;
    -) unset "f$slot" ;;
  esac
done
all= slot=0
while [ "$slot" -lt "$end" ]; do eval "all=\\"\\$all \\\${f$slot-}\\""; slot=$((slot + 1)); done
for family in $all; do kill -STOP "-\${family%%:*}"; done 2>/dev/null
"$@" $all || for family in $all; do kill -KILL "-\${family%%:*}"; done 2>/dev/null
`

/** The command that ends the processes of this relay, and of other dead ones; families follow as arguments. */
const reaper = (relay: string): ReadonlyArray<string> =>
  reaperSource === undefined
    ? ["false"]
    : [process.execPath, "-e", "eval(process.env.AI_RELAY_REAPER)", relay]

/** Inherits nothing from the relay, whose environment may contain options for Node and secrets. */
const env = {
  PATH: process.env["PATH"] ?? "/usr/bin:/bin",
  AI_RELAY_REAPER: reaperSource,
  ELECTRON_RUN_AS_NODE: "1"
}
const apart = { cwd: "/", detached: true, env } as const

/** A watcher that lived shorter than this, in ms, is not restarted at once. */
const shortLifeMs = 1000

export const make = (relay: string): Watcher => {
  /** Families and their slots. */
  const watched = new Map<string, number>()
  const free: Array<number> = []
  let shell: ChildProcess | undefined

  const start = () => {
    const started = performance.now()
    const child = spawn("/bin/sh", ["-c", script, "ai-relay-watcher", ...reaper(relay)], {
      ...apart,
      stdio: ["pipe", "ignore", "ignore"]
    })
    child.on("error", ({ message }) => {
      process.emitWarning(`agents will not be ended if the relay is killed: ${message}`)
    })
    child.once("exit", () => {
      if (shell === child) shell = undefined
      if (watched.size > 0 && performance.now() - started > shortLifeMs) start()
    })
    // Neither keeps the relay running; the exit event reports the end.
    child.stdin.on("error", () => {})
    child.unref()
    if (child.stdin instanceof Socket) child.stdin.unref()
    shell = child
    for (const [family, slot] of watched) tell(`+ ${slot} ${family}`)
  }
  const tell = (line: string) => void shell?.stdin?.write(`${line}\n`)

  return {
    watch: (family) => {
      if (shell === undefined) start()
      const slot = watched.get(family) ?? free.pop() ?? watched.size
      watched.set(family, slot)
      tell(`+ ${slot} ${family}`)
    },
    unwatch: (family) => {
      const slot = watched.get(family)
      if (slot === undefined) return
      watched.delete(family)
      free.push(slot)
      tell(`- ${slot}`)
    },
    dismiss: () => void shell?.kill("SIGKILL")
  }
}

/** Ends all processes of dead relays now. */
export const reapOrphans = (): void => {
  const [program = "false", ...args] = reaper("")
  spawn(program, args, { ...apart, stdio: "ignore" }).on("error", () => {}).unref()
}

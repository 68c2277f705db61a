/**
 * Watcher: lives on when the relay dies, however it dies, and ends every agent it was told of, with all they started.
 *
 * It is a shell that waits for the end of a pipe, because that takes 2 MB where Node takes 42. It runs in a session of
 * its own, so that a Ctrl-C for the relay is not for it, and is gone when the relay has ended in order. When the pipe
 * ends, the relay is dead: the shell suspends the agents' process groups, so that nobody gets away meanwhile, and becomes
 * the reaper (`reaper.ts`), whose source it has held since it was started: an upgrade of the package changes nothing for
 * it. If Node does not start any more, it kills the groups.
 */
import { type ChildProcess, spawn } from "node:child_process"
import { Socket } from "node:net"
import { reaperSource } from "./reaperSource.js"

export interface Watcher {
  /** A program runs. `family` is one word that begins with its pid and a colon. */
  readonly watch: (family: string) => void
  /** It was brought to an end. */
  readonly unwatch: (family: string) => void
  /** The relay ends, and nobody needs to be watched any more. */
  readonly dismiss: () => void
}

const script = `
trap '' HUP INT QUIT TERM
all=' '
while read -r sign family; do
  case $sign in
    +) all="$all$family " ;;
    -) all="\${all%% "$family" *} \${all#* "$family" }" ;;
  esac
done
for family in $all; do kill -STOP "-\${family%%:*}"; done 2>/dev/null
"$@" $all || for family in $all; do kill -KILL "-\${family%%:*}"; done 2>/dev/null
`

/** The command that ends everyone who belongs to this relay, and to others that are dead; families come after it. */
const reaper = (relay: string): ReadonlyArray<string> =>
  reaperSource === undefined
    ? ["false"]
    : [process.execPath, "-e", "eval(process.env.AI_RELAY_REAPER)", relay]

/** Nothing of the relay's environment: it may hold options for Node, and secrets. */
const env = {
  PATH: process.env["PATH"] ?? "/usr/bin:/bin",
  AI_RELAY_REAPER: reaperSource,
  ELECTRON_RUN_AS_NODE: "1"
}
const apart = { cwd: "/", detached: true, env } as const

/** One that is gone sooner than this is not started again at once, in ms. */
const shortLifeMs = 1000

export const make = (relay: string): Watcher => {
  const watched = new Set<string>()
  let shell: ChildProcess | undefined

  const start = () => {
    const started = performance.now()
    const child = spawn("/bin/sh", ["-c", script, "ai-relay-watcher", ...reaper(relay)], {
      ...apart,
      stdio: ["pipe", "ignore", "ignore"]
    })
    child.on("error", ({ message }) => {
      process.emitWarning(`nobody will end the agents if the relay is killed: ${message}`)
    })
    child.once("exit", () => {
      if (shell === child) shell = undefined
      if (watched.size > 0 && performance.now() - started > shortLifeMs) start()
    })
    // Neither keeps the relay running; that it is gone its exit says.
    child.stdin.on("error", () => {})
    child.unref()
    if (child.stdin instanceof Socket) child.stdin.unref()
    shell = child
    for (const family of watched) tell(`+ ${family}`)
  }
  const tell = (line: string) => void shell?.stdin?.write(`${line}\n`)

  return {
    watch: (family) => {
      if (shell === undefined) start()
      watched.add(family)
      tell(`+ ${family}`)
    },
    unwatch: (family) => {
      if (watched.delete(family)) tell(`- ${family}`)
    },
    dismiss: () => void shell?.kill("SIGKILL")
  }
}

/** End everyone whose relay is dead, now. */
export const reapOrphans = (): void => {
  const [program = "false", ...args] = reaper("")
  spawn(program, args, { ...apart, stdio: "ignore" }).on("error", () => {}).unref()
}

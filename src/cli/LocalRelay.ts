/**
 * LocalRelay: starts a relay on this machine when none answers. The relay is a daemon: it and its sessions outlive the
 * editor or command that started it. It logs to `relay.log` in the state folder.
 */
import { Effect } from "effect"
import { homedir } from "node:os"
import { join } from "node:path"
import { PortError } from "../fronts/SessionPort.js"
import * as daemon from "../services/process/daemon.js"
import { ownFolder } from "./home.js"

export interface LocalRelay {
  /** Succeeds when a relay answers. */
  readonly ensure: Effect.Effect<void, PortError>
  /** Start one, unless that was done a moment ago. */
  readonly start: () => void
}

/** How long a relay may take to answer, how often it is asked, and how soon another may be started, all in ms. */
const startMs = 20_000
const pauseMs = 100
const againMs = 5000

const stateFolder = () => join(ownFolder("XDG_STATE_HOME"), "ai-relay")

const answers = (url: string) =>
  Effect.promise(async (signal) => {
    try {
      const { ok } = await fetch(new URL("/healthz", url.replace(/^ws/, "http")), { signal })
      return ok
    } catch {
      return false
    }
  })

export const make = (url: string): LocalRelay => {
  const { hostname, port } = new URL(url)
  const log = join(stateFolder(), "relay.log")
  let startedAt = -Infinity
  let failure: string | undefined

  const start = () => {
    const now = performance.now()
    if (now - startedAt < againMs) return
    startedAt = now
    failure = undefined
    const [program = "ai-relay"] = process.argv.slice(1)
    // Editors open projects anywhere below home, and the folder this was started in.
    const roots = [...new Set([homedir(), process.cwd()])].flatMap((root) => ["--root", root])
    daemon.start({
      program: process.execPath,
      args: [...process.execArgv, program, "--host", hostname, "--port", port || "8765", ...roots],
      cwd: homedir(),
      log,
      onFailed: (reason) => (failure = reason)
    })
  }

  const wait = (until: number): Effect.Effect<void, PortError> =>
    Effect.gen(function*() {
      if (yield* answers(url)) return
      if (failure !== undefined || performance.now() > until) {
        const reason = `no relay answers at ${url}, and none could be started (${
          failure ?? `see ${log}`
        }): run \`ai-relay\``
        return yield* new PortError({ code: "unreachable", reason })
      }
      yield* Effect.sleep(pauseMs)
      return yield* wait(until)
    })

  const ensure = Effect.gen(function*() {
    if (yield* answers(url)) return
    start()
    yield* wait(performance.now() + startMs)
  })

  return { ensure, start }
}

/**
 * contenders: what is measured. Each serves the same agent (`claude` on its PATH) over a WebSocket, as a process of its
 * own on loopback, and is asked for a turn in its own way.
 */
import { fork } from "node:child_process"
import { once } from "node:events"
import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync
} from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { delimiter, dirname, join, resolve } from "node:path"
import { setTimeout as wait } from "node:timers/promises"
import { type Client, connect, converse } from "./Client.js"
import { start } from "./processes.js"

export interface Contender {
  readonly name: string
  readonly start: (options?: StartOptions) => Promise<Running>
}

export interface StartOptions {
  /**
   * `lines`: prints what a prompt asks for. `quiet`: says nothing and costs next to nothing. `ticker`: five lines a second from
   * the first prompt on, in little memory. `recorded`: plays recorded turns, as `claude`, `codex` and `gemini`.
   */
  readonly agent?: keyof typeof agents
  /** Fill its state folder before it starts. */
  readonly prepare?: (state: string) => void
}

export interface Running {
  readonly name: string
  /** Undefined: it runs somewhere else, and only what a client sees can be measured. */
  readonly pid: number | undefined
  readonly url: string
  /** Where it keeps sessions, if it does. */
  readonly state: string
  /** From its start to listening. */
  readonly startMs: number
  /** A connection with an agent behind it. `handshake` adds to what ours is told; all heed its `tool`. */
  readonly open: (handshake?: Handshake) => Promise<Talk>
  /** A connection that asks the same again and again, read by a process of its own. What is answered ends it. */
  readonly flood: (prompt: string) => Promise<() => Promise<void>>
  /**
   * Remove what ended conversations have left on disk. Their files fill memory as a cache, and where a machine has to be
   * given that memory first, the next one would be charged for it.
   */
  readonly tidy: () => Promise<void>
  readonly stop: () => Promise<void>
}

interface Handshake {
  readonly tool?: string
  readonly session_id?: string
  readonly after_seq?: number
}

export interface Talk extends Client {
  /** Send a prompt in the contender's own words. */
  readonly prompt: (text: string) => void
  /** Allow what a frame asks for; does nothing when it asks for nothing. */
  readonly allow: (frame: Buffer) => void
}

const node = process.execPath
const here = (...path: Array<string>) => resolve("bench", ...path)

const recorded = (agent: string) =>
  `#!/bin/sh\ncd "${resolve(".")}" && exec "${node}" "${here("programs", "recorded.mjs")}" ${agent}\n`

/** The programs on the PATH, by name. */
const agents = {
  lines: { claude: `#!/bin/sh\nexec "${node}" "${here("programs", "agent.mjs")}"\n` },
  quiet: { claude: "#!/bin/sh\nexec cat >/dev/null\n" },
  ticker: { claude: `#!/bin/sh\nexec perl "${here("programs", "ticker.pl")}"\n` },
  recorded: { claude: recorded("claude"), codex: recorded("codex"), gemini: recorded("gemini") }
} as const

/** What V8 has compiled of our program, kept from one start to the next as on any machine where it has run before. */
const keptCode = mkdtempSync(join(tmpdir(), "ai-relay-bench-code-"))
process.once("exit", () => rmSync(keptCode, { recursive: true, force: true }))

/** A home of its own, with the agents on its PATH. */
const makeHome = (agent: keyof typeof agents, isFirstStart = false) => {
  const home = mkdtempSync(join(tmpdir(), "ai-relay-bench-"))
  const bin = join(home, "bin")
  mkdirSync(bin)
  for (const [name, program] of Object.entries(agents[agent])) {
    writeFileSync(join(bin, name), program)
    chmodSync(join(bin, name), 0o755)
  }
  const env = {
    HOME: home,
    PATH: [bin, dirname(node), "/usr/bin", "/bin"].join(delimiter),
    XDG_CACHE_HOME: isFirstStart ? join(home, "cache") : keptCode
  }
  return { home, env, remove: () => rmSync(home, { recursive: true, force: true }) }
}

/** A session ends a moment after its client is gone. */
const tidy = async (home: string): Promise<void> => {
  await wait(200)
  const sessions = join(home, "state", "sessions")
  if (!existsSync(sessions)) return
  for (const session of readdirSync(sessions)) {
    rmSync(join(sessions, session), { recursive: true, force: true })
  }
}

/** Of a line-by-line pipe, the agent's own words are asked. */
const nativePrompt = (content: string) => JSON.stringify({ type: "user", message: { role: "user", content } })
const relayPrompt = (text: string) => JSON.stringify({ text })

interface Program {
  readonly command: string
  readonly args: (home: string) => ReadonlyArray<string> | Promise<ReadonlyArray<string>>
  readonly ready: RegExp
  readonly speaks: "relay" | "lines"
  /** Without what an earlier start has compiled. */
  readonly isFirstStart?: boolean
}

/** What a frame of ours asks to be allowed. */
const asked =
  /"type":"permission_request".*?"request_id":"([^"]+)"|"request_id":"([^"]+)".*?"type":"permission_request"/

/** An agent's own words for the same; recorded.mjs understands a short answer. */
const askedNatively =
  /"subtype":"can_use_tool"|"method":"(?:item\/\w+\/requestApproval|session\/request_permission)"/

const answers = {
  relay: (frame: string) => {
    const [, first, second] = asked.exec(frame) ?? []
    const request_id = first ?? second
    return request_id && JSON.stringify({ type: "permission_response", request_id, behavior: "allow" })
  },
  lines: (frame: string) => askedNatively.test(frame) ? JSON.stringify({ answer: true }) : undefined
}

/** What a relay without a greeting is told. */
const addressOf = (url: string, { after_seq, session_id, tool }: Handshake): string => {
  if (tool === undefined && session_id === undefined) return url
  const query = session_id === undefined ? "" : `?session=${session_id}&after=${after_seq ?? 0}`
  return `${url}/${tool ?? "claude"}${query}`
}

/** How it is talked to. */
const talkers = (speaks: Program["speaks"], home: string, url: string): Pick<Running, "open" | "flood"> => {
  const greeting = (handshake: Handshake) =>
    speaks === "relay" ? JSON.stringify({ tool: "claude", folder: home, ...handshake }) : undefined
  const words = speaks === "relay" ? relayPrompt : nativePrompt
  return {
    open: async (handshake = {}) => {
      const client = await converse(speaks === "relay" ? url : addressOf(url, handshake), greeting(handshake))
      return {
        ...client,
        prompt: (text: string) => client.send(words(text)),
        allow: (frame) => {
          const answer = answers[speaks](frame.toString())
          if (answer) client.send(answer)
        }
      }
    },
    flood: async (prompt) => {
      const reader = fork(
        new URL("reader.mjs", import.meta.url),
        [url, words(prompt), greeting({}) ?? []].flat()
      )
      const ended = once(reader, "exit")
      const [said] = await Promise.race([once(reader, "message"), ended])
      if (said !== "reads") throw new Error(`the reader of ${url} ended (${String(said)})`)
      return async () => {
        reader.send("enough")
        await ended
      }
    }
  }
}

export const contender = (
  name: string,
  { args, command, isFirstStart, ready, speaks }: Program
): Contender => ({
  name,
  start: async ({ agent = "lines", prepare } = {}) => {
    const { env, home, remove } = makeHome(agent, isFirstStart)
    prepare?.(join(home, "state"))
    const { ms, pid, said, stop } = await start({ command, args: await args(home), env, cwd: home, ready })
    const url = said[1] ?? ""
    return {
      name,
      pid,
      url,
      state: join(home, "state"),
      startMs: ms,
      ...talkers(speaks, home, url),
      tidy: () => tidy(home),
      stop: async () => {
        await stop()
        remove()
      }
    }
  }
})

const listens = /listens on (ws:\/\/\S+)/

const relayProgram = (cli: string, flags: ReadonlyArray<string>): Program => ({
  command: node,
  args: (home) => [
    cli,
    "serve",
    ...["--host", "127.0.0.1", "--port", "0", "--state-dir", join(home, "state"), "--log-level", "warning"],
    ...["--max-connections", "10000", "--max-connections-per-peer", "10000", "--max-sessions", "2000"],
    ...flags
  ],
  ready: listens,
  speaks: "relay"
})

/** A built program, as it is installed: `raw` on, journal on. */
export const relayOf = (name: string, cli: string, ...flags: ReadonlyArray<string>) =>
  contender(name, relayProgram(cli, flags))

const built = resolve("dist/cli.mjs")
/** This checkout's. */
export const ours = relayOf("ai-relay", built, "--auth", "remote")
/** On a machine where this version has never run. */
export const oursAtFirst = contender("ai-relay, first start ever", {
  ...relayProgram(built, ["--auth", "remote"]),
  isFirstStart: true
})
export const oursWithoutJournal = relayOf("ai-relay --no-state", built, "--auth", "remote", "--no-state")

/** With room for a session of 1,000,000 events; by default the oldest of so many are deleted. */
export const oursThatKeepsAll = relayOf(
  "ai-relay",
  built,
  ...["--auth", "remote", "--journal-bytes", String(4 * 1024 ** 3), "--journal-events", "2000000"]
)

export const floor = contender("floor", {
  command: node,
  args: () => [here("programs", "floor.mjs")],
  ready: listens,
  speaks: "lines"
})

/** The least that anything with a durable log can cost. */
export const copy = contender("copying only", {
  command: node,
  args: () => [here("programs", "copy.mjs")],
  ready: listens,
  speaks: "lines"
})

/** The floor's second form: a log in memory, sessions that stay, clients that come back. */
export const floorWithLog = contender("floor with a log", {
  command: node,
  args: () => [here("programs", "floor-with-log.mjs")],
  ready: listens,
  speaks: "lines"
})

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, "127.0.0.1")
  await once(server, "listening")
  const address = server.address()
  server.close()
  return typeof address === "object" && address !== null ? address.port : 0
}

const isProgram = (path: string) => {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** A raw pipe, if Debian's package is installed. */
export const websocketd = (): Contender | undefined => {
  const command = (process.env["PATH"] ?? "").split(delimiter).map((folder) => join(folder, "websocketd"))
    .find(isProgram)
  return command === undefined ? undefined : contender("websocketd", {
    command,
    args: async () => ["--address=127.0.0.1", `--port=${await freePort()}`, "--loglevel=info", "claude"],
    ready: /Starting WebSocket server\s*:\s*(ws:\/\/\S+)/,
    speaks: "lines"
  })
}

/**
 * Any other relay: `URL` of one that runs, with bench/programs/agent.mjs as its `claude`; or `URL COMMAND…`, started for
 * this, with the agent on its PATH. It speaks the relay's own protocol, or, with `lines:` before the URL, native lines.
 */
export const another = (description: string): Contender => {
  const [place = "", command, ...args] = description.split(" ").filter((word) => word !== "")
  const speaks = place.startsWith("lines:") ? "lines" : "relay"
  const url = place.replace(/^lines:/, "").replace(/\/$/, "")
  const name = command === undefined ? url : [command, ...args].join(" ").slice(0, 30)
  if (!url.startsWith("ws://")) throw new Error(`--vs begins with a ws:// URL, not ${place}`)
  return {
    name,
    start: async ({ agent = "lines" } = {}) => {
      const { env, home, remove } = makeHome(agent)
      const began = performance.now()
      const process = command === undefined
        ? undefined
        : await start({ command, args, env: { ...env, PYTHONUNBUFFERED: "1" }, cwd: home, ready: /^/ })
      await untilReachable(url)
      return {
        name,
        pid: process?.pid,
        url,
        state: "",
        startMs: performance.now() - began,
        ...talkers(speaks, home, url),
        tidy: () => tidy(home),
        stop: async () => {
          await process?.stop()
          remove()
        }
      }
    }
  }
}

const untilReachable = async (url: string): Promise<void> => {
  for (let tries = 0;; tries++) {
    try {
      return await (await connect(url)).close()
    } catch (error) {
      if (tries === 200) throw error
      await wait(50)
    }
  }
}

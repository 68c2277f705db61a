/**
 * daemon: the built `ai-relay` program as a process of its own, on a free loopback port.
 *
 * It gets only the environment a test gives it. `stop` asks it to end, `kill` does not ask.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("../..", import.meta.url))
const built = fileURLToPath(new URL("../../dist/cli.mjs", import.meta.url))

export interface Daemon {
  readonly url: string
  readonly pid: number
  /** What it has printed so far, stdout and stderr. */
  readonly output: () => string
  /** SIGTERM; resolves to its exit code. */
  readonly stop: () => Promise<number | null>
  readonly kill: () => Promise<void>
  /** Nobody reads what it prints any more. */
  readonly unread: () => void
}

interface Options {
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
  readonly args?: ReadonlyArray<string>
  /** Default: any that is free. */
  readonly port?: string
  /** `lab`, if it is not to be a relay. */
  readonly command?: string
  /** A copy of the built program. */
  readonly program?: string
}

let isBuilt = Boolean(process.env["AI_RELAY_BUILT"])

/** Make dist/cli.mjs of the sources as they are; once, however many in a file ask for it. $AI_RELAY_BUILT: it is new. */
export const buildDaemon = () => {
  if (!isBuilt) execFileSync(process.execPath, ["scripts/build.mjs", "cli"], { cwd: root })
  isBuilt = true
}

const listening = /listens on (wss?:\/\/\S+)/

const untilListening = (child: ChildProcess, output: () => string): Promise<string> =>
  new Promise((resolve, reject) => {
    const look = () => {
      const url = listening.exec(output())?.[1]
      if (url !== undefined) resolve(url.replace("localhost", "127.0.0.1"))
    }
    child.stdout?.on("data", look)
    child.once(
      "exit",
      (code) => reject(new Error(`ai-relay ended (${code}) before it listened:\n${output()}`))
    )
  })

export const startDaemon = async (
  { args = [], command, cwd, env, port = "0", program = built }: Options
): Promise<Daemon> => {
  const words = [...(command === undefined ? [] : [command]), "--host", "127.0.0.1", "--port", port, ...args]
  // As on a machine of one's own, also where tests run in a container; a test that asks for more says so.
  const auth = command === undefined ? { AI_RELAY_AUTH: "remote" } : {}
  const child = spawn(process.execPath, [program, ...words], { cwd, env: { ...auth, ...env } })
  const exited = once(child, "exit")
  let printed = ""
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => (printed += chunk.toString()))
  }
  const output = () => printed
  const url = await untilListening(child, output)
  return {
    url,
    pid: child.pid ?? 0,
    output,
    stop: async () => {
      child.kill("SIGTERM")
      const [code] = await exited
      return typeof code === "number" ? code : null
    },
    unread: () => [child.stdout, child.stderr].forEach((stream) => stream.destroy()),
    kill: async () => {
      child.kill("SIGKILL")
      await exited
    }
  }
}

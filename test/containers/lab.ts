/** lab: the built `ai-relay lab` as a process, users who connect to it, and a look at the engine behind it. */
import Docker from "dockerode"
import { execFileSync } from "node:child_process"
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { connect } from "../support/client.js"
import { type Daemon, startDaemon } from "../support/daemon.js"

/** Why no engine is here, if none is. */
export const whyNoEngine = process.env["AI_RELAY_SKIP_CONTAINERS"]
  ?? (process.env["DOCKER_HOST"] === undefined ? "run it with npm run test:containers" : undefined)

export const image = "ohwise-lab-ctrl:local"
export const docker = whyNoEngine === undefined ? new Docker() : undefined as never

/** Where the engine is. */
const engine = { DOCKER_HOST: process.env["DOCKER_HOST"] ?? "" }

/** Longer than anything takes on a busy machine. */
export const within = 90_000

export interface Lab extends Daemon {
  readonly created: () => number
}

export const tokenOf = (user: string) => `token-of-${user.replaceAll(/[^a-z0-9]/gi, "-")}`

/** A place for tokens and workspaces. `token(user)` makes the user known. */
export const makePlace = () => {
  const folder = mkdtempSync(join(tmpdir(), "lab-"))
  chmodSync(folder, 0o755)
  const users: Array<string> = []
  const env = {
    PATH: process.env["PATH"] ?? "",
    HOME: folder,
    LAB_TOKENS_FILE: join(folder, "tokens"),
    LAB_WORKSPACE_ROOT: join(folder, "workspaces"),
    // How long things may take here is no property of the lab.
    LAB_CONTAINER_WS_TIMEOUT: "60"
  }
  writeFileSync(env.LAB_TOKENS_FILE, "")
  return {
    folder,
    env,
    token: (user: string) => {
      users.push(user)
      writeFileSync(env.LAB_TOKENS_FILE, users.map((name) => `${name} ${tokenOf(name)}\n`).join(""))
      return tokenOf(user)
    },
    start: async (settings: Readonly<Record<string, string>>): Promise<Lab> => {
      const daemon = await startDaemon({
        command: "lab",
        cwd: folder,
        env: { ...env, ...engine, ...settings }
      })
      return { ...daemon, created: () => daemon.output().match(/created container/g)?.length ?? 0 }
    },
    remove: () => rmSync(folder, { recursive: true, force: true })
  }
}

export type Place = ReturnType<typeof makePlace>

/** A shell of the user, through the lab: as much of an agent as isolation and resuming need. */
export const openShell = async (url: string, token: string, fields: object = {}) => {
  const client = await connect(url, {
    token,
    tool: "generic",
    command: ["bash", "--norc"],
    session_id: "shell",
    ...fields
  })
  await client.waitFor("session_start", { within })
  return {
    ...client,
    /** What a command prints. */
    run: async (command: string): Promise<string> => {
      const after = client.events.at(-1)?.seq ?? 0
      client.send({ type: "stdin", data: `${command}; echo "<"$?">"\n` })
      const printed = () =>
        client.events.filter(({ seq, type }) => seq > after && type === "stdout").map(({ text }) => text)
          .join("")
      await client.waitFor((event) => event.seq > after && /<\d+>/.test(printed()), { within })
      return printed()
    }
  }
}

export const containersOf = async (network: string) =>
  docker.listContainers({ all: true, filters: { label: [`ai-relay.lab=${network}`] } })

/** End everything a lab left on the engine. */
export const clear = async (network: string) => {
  for (const { Id } of await containersOf(network)) await docker.getContainer(Id).remove({ force: true })
  await docker.getNetwork(network).remove().catch(() => undefined)
}

/** Run a command in a container; its output. */
export const inContainer = (id: string, ...command: ReadonlyArray<string>): string =>
  execFileSync("docker", ["exec", id, ...command], { encoding: "utf8" })

/** One look; an engine that is busy may take a connection long before anybody answers. */
export const isReady = (address: string) =>
  fetch(`http://${address}/readyz`, { signal: AbortSignal.timeout(2000) }).then(({ ok }) => ok, () => false)

/** Wait until an answer of the engine fits. */
export const untilTrue = async (fact: () => Promise<boolean>, limit = within) => {
  const deadline = Date.now() + limit
  while (!(await fact())) {
    if (Date.now() > deadline) throw new Error(`${String(fact)} did not come true within ${limit} ms`)
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}

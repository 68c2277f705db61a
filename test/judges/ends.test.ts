/**
 * People of foreign fronts, each by its own client, whose answer is cut off: their session is deleted or ended by somebody else, or
 * their relay is stopped. Each client reports a failure, with why and what to do; none shows the answer as complete, and none hangs.
 */
import { build } from "esbuild"
import { mkdtempSync, realpathSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { connect } from "../support/client.js"
import { type Daemon, startDaemon } from "../support/daemon.js"
import { missing } from "../support/foreignFronts.js"
import { judgesOf } from "../support/judges.js"
import { type FrontName, killEverybody, type Person, startPerson } from "../support/person.js"

type Json = Record<string, any> // oxlint-disable-line typescript/no-explicit-any

const program = fileURLToPath(new URL("../../dist/cli.mjs", import.meta.url))
const transport = join(process.cwd(), "node_modules/.cache/ai-relay/chatTransport.mjs")
const home = realpathSync(mkdtempSync(join(tmpdir(), "ai-relay-ends-")))
const env = { PATH: process.env["PATH"] ?? "", HOME: home, LANG: "C.UTF-8" }
const prompt = "Why is the total a cent too high?"

const startRelay = (name: string) =>
  startDaemon({
    env,
    cwd: home,
    args: ["--root", home, "--state-dir", join(home, `state-${name}`), "--drain", "0"]
  })
const http = ({ url }: Daemon) => url.replace(/^ws/, "http").replace(/\/$/, "")

/** Everybody's client, and how it is told where to go. */
const clients: Readonly<
  Record<string, { front: FrontName; judges: string; told: (relay: Daemon) => object }>
> = {
  ...Object.fromEntries(([["ai", 7], ["ai6", 6], ["ai5", 5]] as const).map(([sdk, version]) => [
    `useChat ${version}`,
    {
      front: "chat" as const,
      judges: "ai-sdk",
      told: (relay: Daemon) => ({ sdk, version, url: http(relay) })
    }
  ])),
  "useChat over our transport": {
    front: "chat",
    judges: "ai-sdk",
    told: (relay) => ({ sdk: "ai", version: 7, url: http(relay), transport })
  },
  ...Object.fromEntries(["@ag-ui/client", "old"].map((sdk) => [
    `AG-UI ${sdk}`,
    { front: "agui" as const, judges: "ag-ui", told: (relay: Daemon) => ({ sdk, url: http(relay) }) }
  ])),
  ...Object.fromEntries(["@agentclientprotocol/sdk", "old"].flatMap((sdk) => [
    [`ACP ${sdk} over pipes`, {
      front: "acp" as const,
      judges: "acp",
      told: ({ url }: Daemon) => ({
        sdk,
        command: [process.execPath, program, "acp", "--tool", "demo", "--url", url, "--no-start"]
      })
    }],
    [`ACP ${sdk} over a WebSocket`, {
      front: "acp" as const,
      judges: "acp",
      told: ({ url }: Daemon) => ({ sdk, url: new URL("acp?tool=demo", url).href })
    }]
  ]))
}

const answering = ({ until }: Person) =>
  until(({ view = [] }) =>
    (view as ReadonlyArray<Json>).some(({ text = "" }) => (text as string).length > 20)
  )

describe.skipIf(missing !== undefined)("people whose answer is cut off", () => {
  beforeAll(() =>
    build({
      entryPoints: ["src/fronts/chat/WebSocketChatTransport.ts"],
      outfile: transport,
      bundle: true,
      format: "esm",
      platform: "browser"
    })
  )
  afterAll(async () => {
    await killEverybody()
    rmSync(home, { recursive: true, force: true })
  })

  const cuts: Readonly<
    Record<
      string,
      readonly [cut: (relay: Daemon, sessions: ReadonlyArray<string>) => Promise<unknown>, told: RegExp]
    >
  > = {
    deleted: [
      (relay, sessions) =>
        Promise.all(sessions.map((id) => fetch(`${http(relay)}/sessions/${id}`, { method: "DELETE" }))),
      /The session was deleted during this turn\. The next prompt begins a new conversation\./
    ],
    ended: [
      (relay, sessions) =>
        Promise.all(sessions.map(async (session_id) => {
          const other = await connect(relay.url, { session_id, must_exist: true })
          await other.waitFor("session_start")
          other.send({ type: "end" })
          await other.closed
        })),
      /The session was ended during this turn\. The next prompt reopens it\./
    ],
    stopped: [
      (relay) => relay.stop(),
      /The relay was stopped during this turn\. When it is back, the next prompt continues the conversation\./
    ]
  }
  for (const [name, [cut, expected]] of Object.entries(cuts)) {
    it(`are told why and what to do: ${name}`, async () => {
      const relay = await startRelay(name)
      const people = await Promise.all(
        Object.entries(clients).map(async ([client, { front, judges, told }]) => {
          const own = client.replaceAll(/\W+/g, "-")
          const person = startPerson(front, judgesOf(judges), {
            ...told(relay),
            tool: "demo",
            cwd: home,
            name: own,
            prompts: [prompt],
            waits: true,
            ...(front !== "acp" && { session: own })
          })
          const session = front === "acp"
            ? (await person.until(({ session }) => session !== undefined))["session"] as string
            : own
          await answering(person)
          return { client, person, session }
        })
      )
      await cut(relay, people.map(({ session }) => session))
      const seen = await Promise.all(people.map(async ({ client, person }) => {
        const { failures } = await person.done() as { failures: ReadonlyArray<string> }
        return [client, failures.join("\n")] as const
      }))
      for (const [client, failures] of seen) assert.match(failures, expected, client)
      await relay.stop()
    })
  }
})

/**
 * The operator's rules, and the sandbox, with real agents: the same rule file gives the same verdicts whoever asks; and a
 * program that real Claude was allowed to run gets nothing of the relay.
 */
import { Effect, Result } from "effect"
import { readFileSync, writeFileSync } from "node:fs"
import { homedir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { describe, expect, it } from "vitest"
import * as Sandbox from "../../src/services/process/Sandbox.js"
import { type AgentName, whyNotInstalled } from "../support/agents.js"
import { reply } from "../support/modelApi/script.js"
import { allowAll, answer, only, setStage } from "./scenarios.js"

const rules = {
  rules: [
    { name: "no pushing", verdict: "deny", commands: [["git", "push"]] },
    { name: "touching", verdict: "allow", commands: [["touch"], ["echo"]] }
  ]
}

/** What each command is to be told: by which rule, or why by none. */
const cases = (
  home: string
): ReadonlyArray<readonly [command: string, told: object, outcome: "allow" | "deny"]> => [
  [`touch ${home}/a.txt`, { verdict: "allow", rule: "touching" }, "allow"],
  [`touch ${home}/b.txt; git push origin main`, { verdict: "deny", rule: "no pushing" }, "deny"],
  [`touch ${home}/c.txt && "git" 'push'`, { verdict: "deny", rule: "no pushing" }, "deny"],
  [
    // Both commands would be allowed; that it is one within another, nobody has looked through.
    `touch $(echo ${home}/d.txt)`,
    { verdict: "ask", unclear: "it runs a command within another ($(…))" },
    "deny"
  ]
]

const agents: ReadonlyArray<readonly [AgentName, object]> = [
  ["claude", { tool: "claude" }],
  ["codex", { tool: "codex", approval_policy: "untrusted" }],
  ["gemini", { tool: "gemini" }],
  ["opencode", { tool: "opencode" }]
]

describe.each(agents)("rules for %s", (agent, handshake) => {
  describe.skipIf(whyNotInstalled(agent) !== undefined)("that is the real one", () => {
    const stage = setStage(agent, handshake, (home) => {
      const file = join(home, "policy.json")
      writeFileSync(file, JSON.stringify(rules), { mode: 0o600 })
      return ["--policy", file]
    })

    it("decide as they do for every agent", async () => {
      const client = await stage.open()
      client.onEvent((event) => {
        // Only what no rule decides waits for a person.
        if (event.type === "permission_request" && event.metadata.policy?.verdict === "ask") {
          answer(client, event.request_id, { behavior: "deny" })
        }
      })
      const seen: Array<readonly [string, unknown, unknown]> = []
      for (const [index, [command]] of cases(stage.home).entries()) {
        stage.api().on(new RegExp(`RULE-${index}`), [
          reply({ tool: { kind: "shell", command } }),
          reply({ text: "Done." })
        ])
        const after = client.events.at(-1)?.seq ?? 0
        client.send({ text: `RULE-${index}` })
        await client.waitFor("turn_end", { after })
        const turn = client.events.filter(({ seq = 0 }) => seq > after)
        const asked = only(turn, "permission_request")[0]
        seen.push([command, asked?.metadata.policy, only(turn, "control_response")[0]?.status])
      }
      expect(seen).toEqual(cases(stage.home))
      expect(isThere(join(stage.home, "a.txt"))).toBe(true)
      expect(["b.txt", "c.txt", "d.txt"].filter((name) => isThere(join(stage.home, name)))).toEqual([])
    })
  })
})

const isThere = (file: string) => {
  try {
    return readFileSync(file) !== undefined
  } catch {
    return false
  }
}

const sandbox = await Effect.runPromise(Effect.result(Sandbox.check))
const why = whyNotInstalled("claude") ?? (Result.isFailure(sandbox) ? sandbox.failure.message : undefined)
if (why !== undefined) console.log(`skipped, Claude in the sandbox: ${why}`)

/** The agents' programs and their Node lie outside of the usual folders. */
const sandboxed = (home: string) => {
  const root = fileURLToPath(new URL("../..", import.meta.url))
  const cache = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "ai-relay")
  return [
    "--sandbox",
    ...[root, cache, dirname(dirname(process.execPath))].flatMap((folder) => ["--sandbox-read", folder]),
    ...["--state-dir", join(home, "state")]
  ]
}

describe.skipIf(why !== undefined)("real Claude Code in the sandbox", () => {
  const stage = setStage("claude", { tool: "claude", session_id: "mine" }, sandboxed)

  it("works as ever, and the one program it may run approves, opens, reads and reaches nothing", async () => {
    const url = stage.daemon().url.replace("ws", "http").replace(/\/$/, "")
    const out = join(stage.home, "out.json")
    writeFileSync(
      join(stage.home, "x.mjs"),
      `import { readFileSync, readdirSync, renameSync, writeFileSync } from "node:fs"
const tell = {}
const attempt = async (name, what) => {
  try { tell[name] = await what() } catch (error) { tell[name] = String(error.code ?? error.cause?.code ?? "failed") }
}
const socket = (first, ...more) => new Promise((resolve) => {
  const ws = new WebSocket(${JSON.stringify(url.replace("http", "ws"))})
  ws.onerror = () => resolve("closed")
  ws.onopen = () => { for (const frame of [first, ...more]) ws.send(JSON.stringify(frame)) }
  ws.onmessage = ({ data }) => { const { type, code } = JSON.parse(data); resolve(type + " " + code); ws.close() }
})
await attempt("token", () => readFileSync(${
        JSON.stringify(join(stage.home, "state", "token"))
      }, "utf8").length)
await attempt("state", () => readdirSync(${JSON.stringify(join(stage.home, "state"))}).length)
await attempt("environments", () => readdirSync("/proc").filter((pid) => {
  try { return /^\\d+$/.test(pid) && readFileSync("/proc/" + pid + "/environ", "utf8").includes("AI_RELAY_PORT") } catch { return false }
}).length)
await attempt("sessions", async () => (await fetch(${JSON.stringify(`${url}/sessions`)})).status)
await attempt("ticket", async () => (await fetch(${
        JSON.stringify(`${url}/ticket`)
      }, { method: "POST" })).status)
await attempt("approve", () => socket({ session_id: "mine" }, { type: "permission_response", request_id: "x", allow: true }))
await attempt("open", () => socket({ tool: "generic", command: ["id"] }))
writeFileSync(${JSON.stringify(out)} + ".part", JSON.stringify(tell))
renameSync(${JSON.stringify(out)} + ".part", ${JSON.stringify(out)})
`
    )
    stage.api().on(/RUN-IT/, [
      reply({ tool: { kind: "shell", command: `${process.execPath} --experimental-websocket x.mjs` } }),
      reply({ text: "Done." })
    ])
    const client = await stage.open()
    allowAll(client)
    client.send({ text: "RUN-IT" })
    const { stop_reason } = await client.waitFor("turn_end")
    expect(stop_reason).toBe("end_turn")
    expect(only(client.events, "permission_request")).toHaveLength(1)
    expect(JSON.parse(readFileSync(out, "utf8"))).toEqual({
      token: "ENOENT",
      state: 0,
      environments: 0,
      sessions: 401,
      ticket: 401,
      approve: "error unauthorized",
      open: "error unauthorized"
    })
  })
})

const inside: ReadonlyArray<readonly [AgentName, object]> = [
  ["codex", { tool: "codex", approval_policy: "untrusted" }],
  ["gemini", { tool: "gemini" }]
]

describe.each(inside)("in the sandbox, %s", (agent, handshake) => {
  const missing = whyNotInstalled(agent) ?? (Result.isFailure(sandbox) ? sandbox.failure.message : undefined)
  if (missing !== undefined) console.log(`skipped, ${agent} in the sandbox: ${missing}`)
  describe.skipIf(missing !== undefined)("that is the real one", () => {
    const stage = setStage(agent, handshake, sandboxed)

    it("works as ever in its folder, and sees nothing of the relay's", async () => {
      const token = join(stage.home, "state", "token")
      stage.api().on(/RUN-IT/, [
        reply({
          tool: {
            kind: "shell",
            command: `cat ${token} > ${stage.home}/seen.txt; touch ${stage.home}/ran.txt`
          }
        }),
        reply({ text: "Done." })
      ])
      const client = await stage.open()
      allowAll(client)
      client.send({ text: "RUN-IT" })
      const { stop_reason } = await client.waitFor("turn_end")
      expect(stop_reason).toBe("end_turn")
      expect(only(client.events, "permission_request")).toHaveLength(1)
      expect(isThere(join(stage.home, "ran.txt"))).toBe(true)
      expect(readFileSync(join(stage.home, "seen.txt"), "utf8")).toBe("")
      expect(readFileSync(token, "utf8")).not.toBe("")
    })
  })
})

/** What an agent runs is no client of its relay: over every road, however it goes away from its parents. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { beforeAll } from "vitest"
import * as Sandbox from "../../src/services/process/Sandbox.js"
import { cleanUpAfterEach } from "../support/cleanUp.js"
import { connect } from "../support/client.js"
import { buildDaemon, startDaemon } from "../support/daemon.js"

const patience = 120_000
beforeAll(() => void buildDaemon(), patience)
const cleanUp = cleanUpAfterEach(patience)

const ws = fileURLToPath(new URL("../../node_modules/ws/index.js", import.meta.url))

/** Tries all roads with and without the token, then writes what came of them into a file, in one step. */
const thief = (out: string) => `
const { WebSocket } = require(${JSON.stringify(ws)})
const { renameSync, writeFileSync } = require("node:fs")
const [url, token] = process.argv.slice(2)
const tell = {}
const roads = [["GET", "/sessions"], ["GET", "/agents"], ["GET", "/metrics"], ["GET", "/sessions/mine/events"], ["POST", "/ticket"], ["GET", "/openapi.json"], ["GET", "/whoami"]]
const socket = (headers, handshake) => new Promise((resolve) => {
  const ws = new WebSocket(url, { headers })
  ws.on("error", (e) => resolve(String(e)))
  ws.on("open", () => ws.send(JSON.stringify(handshake)))
  ws.on("message", (data) => { const { code, type } = JSON.parse(data); resolve(type + " " + code); ws.close() })
})
;(async () => {
  for (const headers of [{}, { authorization: "Bearer " + token }]) {
    for (const [method, path] of roads) {
      const { status } = await fetch(url.replace("ws", "http") + path, { method, headers })
      tell[method + " " + path + (headers.authorization ? " with token" : "")] = status
    }
    tell["attach" + (headers.authorization ? " with token" : "")] = await socket(headers, { session_id: "mine" })
    tell["open" + (headers.authorization ? " with token" : "")] = await socket(headers, { tool: "generic", command: ["id"] })
  }
  writeFileSync(${JSON.stringify(out)} + ".part", JSON.stringify(tell))
  renameSync(${JSON.stringify(out)} + ".part", ${JSON.stringify(out)})
})()
`

const sandbox = await Effect.runPromise(Effect.result(Sandbox.check))
const noSandbox = Result.isFailure(sandbox) ? sandbox.failure.message : undefined
/** What the test's own program needs may lie in what is out of sight there. */
const kept = [
  "--sandbox",
  ...[fileURLToPath(new URL("../..", import.meta.url)), dirname(dirname(process.execPath))]
    .flatMap((folder) => ["--sandbox-read", folder])
]

/** A relay with a home of its own, where sessions work if they name no folder. */
const relayAtHome = async (isKept: boolean) => {
  const home = realpathSync(mkdtempSync(join(tmpdir(), "ai-relay-thief-")))
  cleanUp(() => rmSync(home, { recursive: true, force: true, maxRetries: 5 }))
  const daemon = await startDaemon({
    env: { PATH: process.env["PATH"] ?? "", HOME: home },
    cwd: home,
    args: [
      "--state-dir",
      join(home, "state"),
      "--log-level",
      "warning",
      "--auth",
      "remote",
      ...isKept ? kept : []
    ]
  })
  cleanUp(() => daemon.kill())
  return { daemon, home }
}

describe("a program that an agent runs", () => {
  const ways: ReadonlyArray<readonly [string, (run: string) => string]> = [
    ["in front", (run) => `exec ${run}`],
    [
      "as a daemon, without the agent's environment",
      (run) => `setsid env -i /bin/sh -c '(setsid ${run} &) &'; sleep 60`
    ]
  ]
  const cases = ways.flatMap(([name, script]) => [
    [name, script, false] as const,
    [`${name}, in the sandbox,`, script, true] as const
  ])
  it.each(cases)("%s gets nothing of its own relay, also with the token", async (_, script, isKept) => {
    if (isKept && noSandbox !== undefined) return void process.stderr.write(`skipped: ${noSandbox}\n`)
    const { daemon, home } = await relayAtHome(isKept)
    const token = readFileSync(join(home, "state", "token"), "utf8").trim()
    const [program, out] = [join(home, "thief.cjs"), join(home, "out.json")]
    writeFileSync(program, thief(out))
    const url = daemon.url.replace(/\/$/, "")
    const run = `${process.execPath} ${program} ${url} ${token}`
    const person = await connect(daemon.url, {
      tool: "generic",
      session_id: "mine",
      command: ["sh", "-c", `(${script(run)}) & while [ ! -e ${out} ]; do sleep 0.1; done`]
    })
    cleanUp(() => person.drop())
    await person.waitFor("session_end", { within: patience })
    const told = JSON.parse(readFileSync(out, "utf8")) as Record<string, string | number>
    assert.lengthOf(Object.keys(told), 18)
    for (const [road, answer] of Object.entries(told)) {
      assert.include([401, "error unauthorized"], answer, road)
    }
    // A person's program, meanwhile, is let in.
    const other = await connect(daemon.url, { tool: "generic", command: ["true"] })
    await other.waitFor("session_start")
    await other.close()
  }, patience)

  it("neither reads nor replaces the relay's own files from the sandbox of a lab", async () => {
    if (noSandbox !== undefined) return void process.stderr.write(`skipped: ${noSandbox}\n`)
    const home = realpathSync(mkdtempSync(join(tmpdir(), "ai-relay-thief-")))
    cleanUp(() => rmSync(home, { recursive: true, force: true, maxRetries: 5 }))
    writeFileSync(join(home, "rules.json"), `{"rules":[]}`)
    const daemon = await startDaemon({
      command: "lab",
      cwd: home,
      env: {
        PATH: process.env["PATH"] ?? "",
        HOME: home,
        LAB_USER_HEADER: "x-user",
        LAB_TRUSTED_PROXIES: "127.0.0.1",
        LAB_WORKSPACE_ROOT: join(home, "workspaces")
      },
      args: [...kept, "--sandbox-write", home, "--policy", join(home, "rules.json"), "--log-level", "warning"]
    })
    cleanUp(() => daemon.kill())
    const command = ["sh", "-c", `cd ${home}; touch mine; cat rules.json; echo x > .cache/ai-relay/code/x`]
    const person = await connect(daemon.url, { tool: "generic", command }, { headers: { "x-user": "ada" } })
    cleanUp(() => person.drop())
    await person.waitFor("session_end", { within: patience })
    assert.isTrue(existsSync(join(home, "mine")))
    const printed = person.events.filter(({ type }) => type === "stdout").map(({ text }) => String(text))
      .join("")
    assert.notInclude(printed, "[]")
    assert.include(printed, "rules.json: Permission denied")
    assert.isFalse(existsSync(join(home, ".cache/ai-relay/code/x")))
  }, patience)

  it("cannot plant code in the relay from the sandbox, although its folder is the home", async () => {
    if (noSandbox !== undefined) return void process.stderr.write(`skipped: ${noSandbox}\n`)
    const { daemon, home } = await relayAtHome(true)
    const code = join(home, ".cache/ai-relay/code")
    const [version = ""] = readdirSync(code)
    const person = await connect(daemon.url, {
      tool: "generic",
      folder: home,
      command: [
        "sh",
        "-c",
        `cd ${home}; touch mine; c=.cache/ai-relay/code; echo x > $c/${version}/x; echo x > $c/x
echo {} > .config/ai-relay/config.json; mv .config away; mv .cache away; mv $c/.. away; mv $c away; mkdir -p $c/${version}; echo x > $c/${version}/x`
      ]
    })
    cleanUp(() => person.drop())
    await person.waitFor("session_end", { within: patience })
    assert.isTrue(existsSync(join(home, "mine")))
    assert.deepStrictEqual(readdirSync(join(home, ".config/ai-relay")), [])
    assert.deepStrictEqual(readdirSync(code), [version])
    assert.deepStrictEqual(readdirSync(join(code, version)), [])
  }, patience)
})

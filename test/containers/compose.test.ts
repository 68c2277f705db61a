/** compose.yaml, as `docker compose up` starts it; with the image that is there already, so that nothing is built. */
import { execFile } from "node:child_process"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { docker, image, isReady, openShell, untilTrue, whyNoEngine } from "./lab.js"

/** `docker compose` or `docker-compose`, whichever is here. */
const compose = process.env["AI_RELAY_COMPOSE"]?.split(" ")
const folder = fileURLToPath(new URL("../..", import.meta.url))

const execute = promisify(execFile)

const freePort = async () => {
  const server = createServer().listen(0, "127.0.0.1")
  await new Promise((resolve) => server.once("listening", resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

describe.skipIf(whyNoEngine !== undefined || compose === undefined)("compose.yaml", () => {
  let port = 0

  const run = async (words: ReadonlyArray<string>, env: Readonly<Record<string, string>> = {}) => {
    const [program = "", ...first] = compose ?? []
    const { stdout } = await execute(program, [...first, "--project-name", "relaytest", ...words], {
      cwd: folder,
      env: { ...process.env, AI_RELAY_PORT: String(port), ...env }
    })
    return stdout
  }
  const inside = (...command: ReadonlyArray<string>) => run(["exec", "-T", "relay", ...command])
  const at = (path: string) => `http://127.0.0.1:${port}${path}`
  const up = async (env: Readonly<Record<string, string>> = {}) => {
    await run(["up", "--detach"], env)
    await untilTrue(() => isReady(`127.0.0.1:${port}`))
  }
  const asking = async (token: string) =>
    (await fetch(at("/sessions"), { headers: { authorization: `Bearer ${token}` } })).status

  beforeAll(async () => {
    await docker.getImage(image).tag({ repo: "ai-relay", tag: "latest" })
    port = await freePort()
    await up()
  })
  afterAll(() => run(["down", "--volumes", "--timeout", "5"]))

  it("starts a relay and its console with one command", async () => {
    expect(await (await fetch(at("/readyz"))).json()).toEqual({ status: "ok" })
    const page = await (await fetch(at("/"), { headers: { accept: "text/html" } })).text()
    expect(page).toContain("<!doctype html>")
    const [, script = ""] = /<script[^>]* src="([^"]+)"/.exec(page) ?? []
    const { headers, status } = await fetch(new URL(script, at("/")))
    expect([status, headers.get("content-type")]).toEqual([200, expect.stringContaining("javascript")])
  })

  it("runs it without rights", async () => {
    expect((await inside("id", "-un")).trim()).toBe("labuser")
    expect(await inside("grep", "-E", "^(CapEff|NoNewPrivs)", "/proc/1/status"))
      .toMatch(/CapEff:\s+0+\nNoNewPrivs:\s+1/)
  })

  it("makes a token and tells it in its log, takes another from AI_RELAY_TOKEN, and keeps what users did", async () => {
    expect((await fetch(at("/sessions"))).status).toBe(401)
    const [, made = ""] = /#token=(\S+)/.exec(await run(["logs", "relay"])) ?? []
    expect(await asking(made)).toBe(200)
    const shell = await openShell(`ws://127.0.0.1:${port}`, made)
    await shell.run("echo kept > /workspace/file && echo kept > ~/file")
    await shell.close()

    await run(["down", "--timeout", "5"])
    await up({ AI_RELAY_TOKEN: "of-my-own" })
    expect([await asking(made), await asking("of-my-own")]).toEqual([401, 200])
    const again = await openShell(`ws://127.0.0.1:${port}`, "of-my-own", { session_id: "later" })
    expect(await again.run("cat /workspace/file ~/file")).toMatch(/kept\s+kept/)
    await again.close()
  })
})

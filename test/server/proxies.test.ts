/** The settings of docs/behind-a-proxy.md, run by the real proxies in front of a relay. Skipped where there are none. */
import { assert, describe } from "@effect/vitest"
import { Redacted } from "effect"
import { execFileSync, spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { request, type RequestOptions } from "node:http"
import { type AddressInfo, connect as connectTcp, createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { connect } from "../support/client.js"
import { type Relay, test } from "../support/relayServer.js"

const page = readFileSync(new URL("../../docs/behind-a-proxy.md", import.meta.url), "utf8")
const settingsOf = (name: string) =>
  new RegExp(`<!-- ${name} -->\\s+\`\`\`\\w+\\n([^]*?)\`\`\``).exec(page)?.[1] ?? ""

const isInstalled = (program: string, flag: string) => {
  try {
    execFileSync(program, [flag], { stdio: "ignore" })
    return true
  } catch {
    return false
  }
}

const freePort = async () => {
  const server = createServer().listen(0, "127.0.0.1")
  await once(server, "listening")
  const { port } = server.address() as AddressInfo
  server.close()
  return port
}

/** Until somebody listens there. */
const untilOpen = async (port: number, ended: () => boolean): Promise<void> => {
  for (;;) {
    const socket = connectTcp(port, "127.0.0.1")
    const isOpen = await new Promise((resolve) =>
      socket.once("connect", () => resolve(true)).once("error", () => resolve(false))
    )
    socket.destroy()
    if (isOpen) return
    if (ended()) throw new Error("the proxy ended before it listened")
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

interface Proxy {
  readonly name: string
  readonly program: string
  readonly version: string
  /** Its arguments and the file they name, with settings for this port in front of that one. */
  readonly start: (
    folder: string,
    port: number,
    relay: number
  ) => readonly [file: string, text: string, args: ReadonlyArray<string>]
}

const proxies: ReadonlyArray<Proxy> = [
  {
    name: "nginx",
    program: "nginx",
    version: "-v",
    start: (folder, port, relay) => {
      const server = settingsOf("nginx").replace("listen 80;", `listen 127.0.0.1:${port};`).replace(
        "8765",
        String(relay)
      )
      const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map((name) => `${name}_temp_path ${join(folder, name)};`).join("\n")
      return [
        join(folder, "nginx.conf"),
        `user root; daemon off; pid ${
          join(folder, "pid")
        }; error_log stderr; events {}\nhttp { access_log off; ${temporary}\n${server} }\n`,
        ["-e", "stderr", "-p", folder, "-c", join(folder, "nginx.conf")]
      ]
    }
  },
  {
    name: "caddy",
    program: "caddy",
    version: "version",
    start: (folder, port, relay) => [
      join(folder, "Caddyfile"),
      `{\n  admin off\n  auto_https off\n}\n${
        settingsOf("caddy").replace(
          "relay.example.com {",
          `http://relay.example.com:${port} {\n  bind 127.0.0.1`
        )
          .replace("8765", String(relay))
      }`,
      ["run", "--adapter", "caddyfile", "--config", join(folder, "Caddyfile")]
    ]
  }
]

const get = (
  port: number,
  path: string,
  headers: Record<string, string>,
  localAddress = "127.0.0.1"
) => ask({ localAddress, port, path, headers })

const send = (port: number, path: string, headers: Record<string, string>, body: Buffer) =>
  ask({ port, path, method: "POST", headers: { ...headers, "Content-Length": body.length } }, body)

const ask = (options: RequestOptions, body?: Buffer) =>
  new Promise<number>((resolve, reject) => {
    request({ host: "127.0.0.1", ...options }, (response) => {
      response.resume()
      resolve(response.statusCode ?? 0)
    }).on("error", reject).end(body)
  })

/** Run it in front of this relay as long as `body` takes. */
const behind = async (proxy: Proxy, relay: Relay, body: (port: number) => Promise<void>) => {
  const folder = mkdtempSync(join(tmpdir(), "ai-relay-proxy-"))
  const port = await freePort()
  const [file, text, args] = proxy.start(folder, port, relay.port)
  writeFileSync(file, text)
  const child = spawn(proxy.program, args, { stdio: "ignore", env: { ...process.env, HOME: folder } })
  const exited = once(child, "exit")
  try {
    await untilOpen(port, () => child.exitCode !== null)
    await body(port)
  } finally {
    child.kill("SIGTERM")
    await exited
    rmSync(folder, { recursive: true, force: true })
  }
}

const options = {
  token: Redacted.make("t0ken"),
  allow_host: ["relay.example.com"],
  trusted_proxy: ["127.0.0.1"]
}

for (const proxy of proxies) {
  const isThere = isInstalled(proxy.program, proxy.version)
  describe.skipIf(!isThere)(
    `${proxy.name}${isThere ? "" : " (not installed)"}, with the settings of the page`,
    () => {
      test(
        "passes sessions on, to who has the token",
        (relay) =>
          behind(proxy, relay, async (port) => {
            const Host = `relay.example.com:${port}`
            const url = `ws://127.0.0.1:${port}/`
            const page = await connect(url, { tool: "fake", token: "t0ken" }, {
              headers: { Host, Origin: `http://${Host}` }
            })
            await page.waitFor("session_start")
            const events = await page.turn("hello")
            assert.strictEqual(events.at(-1)?.type, "turn_end")
            await page.close()
            const stranger = await connect(url, { tool: "fake" }, { headers: { Host } })
            assert.strictEqual(await stranger.closed, 1008)
            assert.strictEqual(await get(port, "/sessions", { Host }), 401)
            assert.strictEqual(await get(port, "/sessions", { Host, Authorization: "Bearer t0ken" }), 200)
            // As much as an attachment may have. The relay answers that there is no such session.
            const headers = {
              Host,
              Authorization: "Bearer t0ken",
              "Content-Type": "application/octet-stream"
            }
            const file = Buffer.alloc(50 * 1024 * 1024)
            assert.strictEqual(await send(port, "/sessions/none/attachments?name=a", headers, file), 404)
          }),
        options,
        60_000
      )

      test(
        "tells the client's address, which no client can choose",
        (relay) =>
          behind(proxy, relay, async (port) => {
            const guess = (localAddress: string, claimed: string) =>
              get(port, "/sessions", {
                Host: `relay.example.com:${port}`,
                "X-Forwarded-For": claimed,
                Authorization: "Bearer x"
              }, localAddress)
            // It says to be another each time; the proxy tells the truth.
            for (let n = 0; n < 5; n++) assert.strictEqual(await guess("127.0.0.9", `192.0.2.${n}`), 401)
            assert.strictEqual(await guess("127.0.0.9", "192.0.2.9"), 429)
            assert.strictEqual(await guess("127.0.0.10", "192.0.2.9"), 401)
          }),
        options,
        60_000
      )
    }
  )
}

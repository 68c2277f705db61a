/** Who gets in, over real sockets. The threats of SECURITY.md that come from outside, by their names. */
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer, Logger, Redacted } from "effect"
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { request } from "node:http"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { connect as connectTls } from "node:tls"
import { fileURLToPath } from "node:url"
import { CertificateInterval, RelayServer } from "../../src/server/RelayServer.js"
import { connect as connectClient } from "../support/client.js"
import * as FakeAdapter from "../support/fakeAdapter.js"
import { eventually } from "../support/realAgents.js"
import { layerOf, type Relay, test } from "../support/relayServer.js"

const token = Redacted.make("t0ken")
const bearer = { Authorization: "Bearer t0ken" }

interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  // Tests look at what they asked for.
  // oxlint-disable-next-line no-explicit-any
  readonly body: any
}

/** Not `fetch`, which sets `Host` and `Origin` as it likes. */
const http = (
  { port }: Relay,
  method: string,
  path: string,
  headers: Record<string, string> = {}
): Promise<Answer> =>
  new Promise((resolve, reject) => {
    request({ host: "127.0.0.1", port, method, path, headers }, (response) => {
      let text = ""
      response.on("data", (chunk: Buffer) => (text += chunk.toString())).on("end", () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: text === "" ? undefined : JSON.parse(text)
        }))
    }).on("error", reject).end()
  })

/** How a WebSocket ends that should not be let in: the refusal of the upgrade, or the code of the error event. */
const refusal = async (relay: Relay, headers: Record<string, string>, handshake: object = {}) => {
  try {
    const client = await relay.connect({ tool: "fake", ...handshake }, headers)
    const code = await client.closed
    return `${code} ${client.events[0]?.["code"]}`
  } catch (error) {
    return String(error)
  }
}

const ticketOf = async (relay: Relay): Promise<string> =>
  (await http(relay, "POST", "/ticket", bearer)).body.ticket

describe("a cross-site page", () => {
  test("gets nothing of a relay on its visitor's machine, not even with the token", async (relay) => {
    for (
      const Origin of [
        "https://evil.example",
        "http://localhost:3000",
        "null",
        `http://localhost:${relay.port}.evil.example`
      ]
    ) {
      assert.include(await refusal(relay, { Origin }), "403")
      assert.include(await refusal(relay, { Origin, ...bearer }), "403")
      for (
        const [method, path] of [["GET", "/sessions"], ["POST", "/ticket"], ["OPTIONS", "/ticket"]] as const
      ) {
        const { headers, status } = await http(relay, method, path, { Origin, ...bearer })
        assert.strictEqual(status, 403, `${method} ${path} from ${Origin}`)
        assert.notProperty(headers, "access-control-allow-origin")
      }
    }
    assert.isEmpty(relay.fake.agents)
  }, { token })

  test("that is allowed may send its token, and needs it where everybody does", async (relay) => {
    const Origin = "https://app.example"
    const preflight = await http(relay, "OPTIONS", "/ticket", { Origin })
    assert.strictEqual(preflight.status, 204)
    assert.strictEqual(preflight.headers["access-control-allow-origin"], Origin)
    assert.include(preflight.headers["access-control-allow-headers"], "authorization")
    assert.strictEqual(await refusal(relay, { Origin }), "1008 unauthorized")
    assert.strictEqual((await http(relay, "POST", "/ticket", { Origin })).status, 401)
    const page = await relay.connect({ tool: "fake", token: "t0ken" }, { Origin })
    await page.waitFor("session_start")
  }, { token, auth: "always", allow_origin: ["https://app.example"] })
})

describe("a page of another site that names no origin", () => {
  test("is answered by nothing but the console's files: images, frames and links learn nothing", async (relay) => {
    for (const site of ["cross-site", "same-site"]) {
      for (const path of ["/agents", "/sessions", "/sessions/s/events", "/metrics", "/openapi.json"]) {
        const answer = await http(relay, "GET", path, { "Sec-Fetch-Site": site, "Sec-Fetch-Mode": "no-cors" })
        assert.strictEqual(answer.status, 403, `${path} from ${site}`)
      }
    }
    for (const site of ["same-origin", "none"]) {
      const { headers, status } = await http(relay, "GET", "/sessions", { "Sec-Fetch-Site": site })
      assert.strictEqual(status, 200)
      assert.strictEqual(headers["x-content-type-options"], "nosniff")
      assert.strictEqual(headers["cross-origin-resource-policy"], "same-origin")
      assert.include(headers["content-security-policy"], "frame-ancestors 'none'")
    }
  })
})

describe("DNS rebinding", () => {
  test(
    "reaches nothing: a name that is not the relay's is refused, whatever else is right",
    async (relay) => {
      for (
        const Host of [
          "evil.example",
          `evil.example:${relay.port}`,
          "127.0.0.1.nip.io",
          "localhost.evil.example"
        ]
      ) {
        const headers = { Host, Origin: `http://${Host}`, ...bearer }
        assert.include(await refusal(relay, headers), "403")
        for (const [method, path] of [["GET", "/"], ["GET", "/sessions"], ["POST", "/ticket"]] as const) {
          assert.strictEqual((await http(relay, method, path, headers)).status, 403)
        }
      }
      assert.isEmpty(relay.fake.agents)
    },
    { token, allow_origin: ["*"] }
  )
})

describe("a stolen URL", () => {
  test("lets nobody in: tokens and tickets in an address are not looked at", async (relay) => {
    const ticket = await ticketOf(relay)
    const url = `ws://127.0.0.1:${relay.port}/?token=t0ken&ticket=${ticket}&access_token=t0ken`
    const thief = await connectClient(url, { tool: "fake" })
    assert.strictEqual(await thief.closed, 1008)
    assert.deepInclude(thief.events[0], { type: "error", code: "unauthorized" })
    assert.strictEqual((await http(relay, "GET", "/sessions?token=t0ken")).status, 401)
    // The ticket is as good as before.
    const owner = await relay.connect({ tool: "fake", ticket })
    await owner.waitFor("session_start")
  }, { token, auth: "always" })

  test("with a used ticket lets nobody in a second time", async (relay) => {
    const ticket = await ticketOf(relay)
    const owner = await relay.connect({ tool: "fake", ticket })
    await owner.waitFor("session_start")
    assert.strictEqual(await refusal(relay, {}, { ticket }), "1008 unauthorized")
    assert.strictEqual(await refusal(relay, {}, { ticket: `${ticket}x` }), "1008 unauthorized")
  }, { token, auth: "always" })
})

describe("POST /ticket", () => {
  test("gives a ticket to who may come, and to no other", async (relay) => {
    const { body, headers, status } = await http(relay, "POST", "/ticket", bearer)
    assert.strictEqual(status, 200)
    assert.strictEqual(body.expires_in, 30)
    assert.match(body.ticket, /^[\w-]{43}$/)
    assert.strictEqual(headers["cache-control"], "no-store")
    assert.strictEqual((await http(relay, "POST", "/ticket")).status, 401)
    assert.strictEqual((await http(relay, "POST", "/ticket", { Authorization: "Bearer x" })).status, 401)
    assert.strictEqual((await http(relay, "GET", "/ticket", bearer)).status, 405)
  }, { token, auth: "always" })
})

describe("guessing the token", () => {
  test(
    "has to wait after five tries; who has the right one, at the same address, does not",
    async (relay) => {
      for (let n = 0; n < 5; n++) {
        assert.strictEqual(await refusal(relay, {}, { token: `guess ${n}` }), "1008 unauthorized")
      }
      const client = await relay.connect({ tool: "fake", token: "guess 5" })
      assert.strictEqual(await client.closed, 1013)
      assert.deepInclude(client.events[0], { type: "error", code: "overloaded" })
      assert.match(client.events[0]?.["text"], /wait \d s/)
      const guessed = await http(relay, "GET", "/sessions", { Authorization: "Bearer guess" })
      assert.deepInclude(guessed.body, { code: "overloaded" })
      assert.strictEqual(guessed.status, 429)
      assert.strictEqual((await http(relay, "GET", "/sessions", bearer)).status, 200)
      const other = await relay.connect({ tool: "fake", token: "t0ken" })
      await other.waitFor("session_start")
    },
    { token }
  )
})

describe("a peer on this machine", () => {
  const forwarding = [
    ..."X-Forwarded-For Forwarded X-Forwarded-Host X-Forwarded-Proto X-Forwarded-Port X-Real-IP Via".split(
      " "
    ),
    ..."CF-Connecting-IP CF-Ray True-Client-IP Fly-Client-IP X-Envoy-External-Address X-Client-IP".split(" "),
    ..."X-Original-Forwarded-For X-Cluster-Client-IP Fastly-Client-IP X-Azure-ClientIP CDN-Loop".split(" ")
  ]
  test(
    "is a stranger when a proxy says that it only passes requests on",
    async (relay) => {
      for (const header of forwarding) {
        assert.strictEqual(await refusal(relay, { [header]: "for=127.0.0.1" }), "1008 unauthorized", header)
        assert.strictEqual((await http(relay, "GET", "/sessions", { [header]: "1" })).status, 401, header)
      }
      const client = await relay.connect({ tool: "fake" }, { "X-Forwarded-For": "8.8.8.8", ...bearer })
      await client.waitFor("session_start")
    },
    { token, auth: "remote" },
    60_000
  )

  test("is a stranger when it calls the relay by a name that others use", async (relay) => {
    const headers = { Host: "relay.example.com", Origin: "https://relay.example.com" }
    assert.strictEqual(await refusal(relay, headers), "1008 unauthorized")
    assert.strictEqual((await http(relay, "GET", "/sessions", headers)).status, 401)
    assert.strictEqual((await http(relay, "POST", "/ticket", headers)).status, 401)
    assert.isEmpty(relay.fake.agents)
    await (await relay.connect({ tool: "fake", token: "t0ken" }, headers)).waitFor("session_start")
    await (await relay.connect({ tool: "fake" })).waitFor("session_start")
  }, { token, auth: "remote", allow_host: ["relay.example.com"] })

  test("needs the token too once one was chosen, or a name for others", async (relay) => {
    assert.strictEqual(await refusal(relay, {}), "1008 unauthorized")
    assert.strictEqual((await http(relay, "GET", "/sessions")).status, 401)
  }, { token, allow_host: ["relay.example.com"] })

  test(
    "speaks for others where it is a trusted proxy: each waits for its own wrong tokens",
    async (relay) => {
      const via = (address: string, more: object = {}) => ({
        "X-Forwarded-For": `9.9.9.9, ${address}`,
        ...more
      })
      for (let n = 0; n < 6; n++) {
        await http(
          relay,
          "GET",
          "/sessions",
          via("8.8.8.8", { Authorization: "Bearer x" })
        )
      }
      const status = async (address: string) =>
        (await http(relay, "GET", "/sessions", via(address, { Authorization: "Bearer x" }))).status
      assert.strictEqual(await status("8.8.8.8"), 429)
      assert.strictEqual(await status("7.7.7.7"), 401)
      assert.strictEqual((await http(relay, "GET", "/sessions", via("127.0.0.1"))).status, 401)
    },
    { token, trusted_proxy: ["127.0.0.0/8"] }
  )

  test("needs the token too where everybody does", async (relay) => {
    assert.strictEqual(await refusal(relay, {}), "1008 unauthorized")
    const client = await relay.connect({ tool: "fake", token: "t0ken" })
    await client.waitFor("session_start")
  }, { token, auth: "always" })

  test(
    "needs none where nobody does, whatever it sends; pages must be allowed all the same",
    async (relay) => {
      for (const fields of [{}, { token: "wrong" }, { ticket: "wrong" }]) {
        const client = await relay.connect({ tool: "fake", ...fields }, { "X-Forwarded-For": "8.8.8.8" })
        await client.waitFor("session_start")
      }
      assert.include(await refusal(relay, { Origin: "https://evil.example" }), "403")
    },
    { token, auth: "never" }
  )
})

describe("TLS", () => {
  const at = (name: string) => fileURLToPath(new URL(`../fixtures/tls/${name}`, import.meta.url))
  const tls = { tls_cert: at("cert.pem"), tls_key: at("key.pem") }

  it.live("takes a new certificate from the same files, and keeps the old one while they are no good", () =>
    Effect.gen(function*() {
      const folder = mkdtempSync(join(tmpdir(), "ai-relay-tls-"))
      yield* Effect.addFinalizer(() => Effect.sync(() => rmSync(folder, { recursive: true })))
      const [cert, key] = [join(folder, "cert.pem"), join(folder, "key.pem")]
      const put = (suffix: string) => {
        copyFileSync(at(`cert${suffix}.pem`), cert)
        copyFileSync(at(`key${suffix}.pem`), key)
      }
      put("")
      const said: Array<string> = []
      const log = Logger.layer([Logger.make(({ message }) => void said.push(String(message)))])
      const hears = (text: string) => eventually(() => said.some((line) => line.includes(text)))
      const built = yield* Layer.build(
        layerOf(FakeAdapter.make(), { tls_cert: cert, tls_key: key, log }).pipe(
          Layer.provide(Layer.succeed(CertificateInterval, 20))
        )
      )
      const { address } = Context.get(built, RelayServer)
      const serialOf = () =>
        Effect.callback<string>((resume) => {
          const socket = connectTls({ port: address.port, rejectUnauthorized: false }, () => {
            resume(Effect.succeed(socket.getPeerCertificate().serialNumber))
            socket.destroy()
          })
        })
      const old = yield* serialOf()
      writeFileSync(cert, "no certificate")
      yield* hears(`so the old one stays in use: check ${cert}`)
      assert.strictEqual(yield* serialOf(), old)
      put("2")
      yield* hears("using the new TLS certificate from now on")
      assert.notStrictEqual(yield* serialOf(), old)
    }))

  test("carries a session, and nothing else is spoken on the port", async (relay) => {
    const ca = readFileSync(tls.tls_cert, "utf8")
    const client = await connectClient(`wss://localhost:${relay.port}/`, { tool: "fake" }, { ca })
    client.send({ text: "hi" })
    await client.waitFor("turn_end")
    client.send({ type: "end" })
    assert.strictEqual(await client.closed, 1000)
    const plain = await connectClient(`ws://localhost:${relay.port}/`, {}).then(() => "let in", String)
    assert.notStrictEqual(plain, "let in")
  }, tls)

  const unusable: ReadonlyArray<readonly [string, object, string]> = [
    ["only one of the files", { tls_cert: tls.tls_cert }, "set both --tls-cert and --tls-key"],
    ["a file that is not there", { ...tls, tls_key: "/nowhere.pem" }, "/nowhere.pem"],
    ["a file that holds no key", { ...tls, tls_key: tls.tls_cert }, "check --tls-cert and --tls-key"]
  ]
  it.live.each(unusable)(
    "says what is wrong with %s",
    ([, options, text]) =>
      Layer.build(layerOf(FakeAdapter.make(), options)).pipe(
        Effect.scoped,
        Effect.flip,
        Effect.map((failure) => assert.include(failure.message, text))
      )
  )
})

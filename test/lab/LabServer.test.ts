/** The lab's door, over real sockets: everybody who may come in, and nobody else. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { exportJWK, generateKeyPair, SignJWT } from "jose"
import { once } from "node:events"
import { readFileSync, writeFileSync } from "node:fs"
import { createServer } from "node:http"
import { type AddressInfo, connect as connectTcp } from "node:net"
import { fileURLToPath } from "node:url"
import { connect } from "../support/client.js"
import { type Door, serving } from "./door.js"

/** Longer than it takes on a busy machine. */
const timeout = 20_000

const test = (
  name: string,
  variables: Readonly<Record<string, string>>,
  body: (door: Door) => Promise<unknown>,
  options: Parameters<typeof serving>[2] = {}
) => it.live(name, () => serving(variables, body, options), timeout)

const unauthorized = "unauthorized 1008"
const overloaded = "overloaded 1013"

const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

describe("a user of the token file", () => {
  test("comes to a relay of their own, by header and by handshake", {}, async ({ enter, http }) => {
    assert.strictEqual(await enter({ token: "token-1" }), "ada")
    assert.match(await enter({ headers: bearer("token-2") }), /^bob-ray--/)
    assert.strictEqual(await enter({ token: "token-3" }), unauthorized)
    // Known for wrong before it has sent its handshake, which must not keep it from its goodbye.
    assert.strictEqual(await enter({ headers: bearer("token-3") }), unauthorized)
    assert.strictEqual(await enter({}), unauthorized)
    assert.strictEqual((await http("/sessions")).status, 401)
  })
})

describe("a user whose token is taken back", () => {
  test("is sent away within a second, sockets and streams, and nobody else is", {}, async (door) => {
    const join = async (token: string) => {
      const client = await connect(`ws://127.0.0.1:${door.port}`, { tool: "demo", session_id: "s", token })
      await client.waitFor("session_start")
      return client
    }
    const ada = await join("token-1")
    const bob = await join("token-2")
    const stream = await fetch(`http://127.0.0.1:${door.port}/sessions/s/events`, {
      headers: bearer("token-1")
    })
    assert.strictEqual(stream.status, 200)
    const read = stream.text().then(() => "ended", () => "ended")

    const since = Date.now()
    writeFileSync(door.tokens_file, "Bob Ray token-2\n")
    const error = await ada.waitFor("error")
    assert.strictEqual(error["code"], "unauthorized")
    assert.include(String(error["text"]), "was revoked")
    assert.strictEqual(await ada.closed, 1008)
    assert.strictEqual(await read, "ended")
    assert.isBelow(Date.now() - since, 5000)
    bob.send({ type: "ping" })
    await bob.waitFor((event) => event["status"] === "pong")
    assert.strictEqual(await door.enter({ token: "token-1" }), unauthorized)
  })
})

describe("connections that say nothing", () => {
  test("make room for those who say who they are, and do not stay", {}, async (door) => {
    const silent = await Promise.all(
      Array.from({ length: 30 }, async () => {
        const socket = connectTcp(door.port, "127.0.0.1").on("error", () => {})
        await once(socket, "connect")
        return { socket, gone: once(socket, "close") }
      })
    )
    assert.strictEqual(await door.enter({ token: "token-1" }), "ada")
    await Promise.all(silent.map(({ gone }) => gone))
  }, { max_connections: 20, handshake_timeout: 2 })

  test("are bounded per peer, but not by the proxy they come by", {
    LAB_TRUSTED_PROXIES: "127.0.0.7"
  }, async (door) => {
    const from = (localAddress: string) =>
      new Promise<string>((resolve) => {
        const socket = connectTcp({ port: door.port, host: "127.0.0.1", localAddress })
        socket.on("error", () => resolve("")).on("connect", () =>
          socket.write("GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n"))
        socket.once("data", (data: Buffer) =>
          resolve(data.toString().split("\r\n", 1).join("")))
      })
    const said = await Promise.all(Array.from({ length: 5 }, () => from("127.0.0.7")))
    assert.deepStrictEqual([...new Set(said)], ["HTTP/1.1 200 OK"])
  }, { max_connections_per_peer: 2 })
})

describe("a user's connections", () => {
  test("are bounded, also behind a proxy, and leave others their places", {
    LAB_TRUSTED_PROXIES: "127.0.0.0/8"
  }, async ({ enter, http, port }) => {
    const handshake = { token: "token-1", tool: "demo", session_id: "demo" }
    const clients = await Promise.all(
      Array.from({ length: 3 }, () => connect(`ws://127.0.0.1:${port}`, handshake))
    )
    for (const client of clients) await client.waitFor("session_start")
    assert.strictEqual(await enter({ token: "token-1" }), overloaded)
    const { status, text } = await http("/sessions", { headers: bearer("token-1") })
    assert.strictEqual(status, 503)
    assert.include(text, "you already have 3 connections: close some")
    assert.match(await enter({ token: "token-2" }), /^bob-ray--/)
    await clients[0]?.close()
    // The lab notices that after the client.
    while ((await http("/sessions", { headers: bearer("token-1") })).status !== 200) await clients[0]?.closed
  }, { max_connections_per_peer: 3 })
})

describe("a request for another address", () => {
  test("is refused, also when it wants a WebSocket", {}, async ({ http }) => {
    const upgrade = {
      connection: "Upgrade",
      upgrade: "websocket",
      "sec-websocket-version": "13",
      "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA=="
    }
    for (const path of ["http://x/", "/#there", "/sessions?x#y"]) {
      const { status, text } = await http(path, { headers: { ...upgrade, ...bearer("token-1") } })
      assert.strictEqual(status, 400, path)
      assert.include(text, "request a path")
    }
  })
})

const bytes = (text: string) => new TextEncoder().encode(text)
const secret = "a secret of more than 32 characters"

interface Signed {
  readonly key?: Parameters<SignJWT["sign"]>[0]
  readonly alg?: string
  readonly end?: string
}

const sign = (claims: Record<string, unknown>, { alg = "HS256", end = "1h", key }: Signed = {}) =>
  new SignJWT(claims).setProtectedHeader({ alg, kid: "1" }).setExpirationTime(end).sign(key ?? bytes(secret))

/** Somebody who signs tokens, and answers with this status when asked for the key to check them with. */
const issuing = (
  status: number,
  body: (keys: string, key: NonNullable<Signed["key"]>) => Effect.Effect<void, unknown>
) =>
  Effect.acquireUseRelease(
    Effect.promise(async () => {
      const { privateKey, publicKey } = await generateKeyPair("ES256")
      const keys = JSON.stringify({ keys: [{ ...await exportJWK(publicKey), kid: "1", alg: "ES256" }] })
      const server = createServer((_, response) => response.writeHead(status).end(keys)).listen(
        0,
        "127.0.0.1"
      )
      await once(server, "listening")
      return { server, privateKey, port: (server.address() as AddressInfo).port }
    }),
    ({ port, privateKey }) => body(`http://127.0.0.1:${port}/keys`, privateKey),
    ({ server }) => Effect.sync(() => server.close().closeAllConnections())
  )

describe("a user with a signed token", () => {
  test("comes in if the secret has signed it, it is for us, and has not ended", {
    LAB_JWT_SECRET: secret,
    LAB_JWT_ISSUER: "https://id.example",
    LAB_JWT_AUDIENCE: "lab"
  }, async ({ enter, http }) => {
    const eve = { sub: "eve", iss: "https://id.example", aud: "lab" }
    const good = await sign(eve)
    assert.strictEqual(await enter({ token: good }), "eve")
    assert.strictEqual(await enter({ headers: bearer(good) }), "eve")
    assert.strictEqual(await enter({ token: "token-1" }), "ada")
    assert.strictEqual(await enter({ token: await sign({ ...eve, aud: "other" }) }), unauthorized)
    assert.strictEqual(
      await enter({ token: await sign({ ...eve, iss: "https://no.example" }) }),
      unauthorized
    )
    const forged = await sign(eve, { key: bytes(secret.toUpperCase()) })
    assert.strictEqual(await enter({ headers: bearer(forged) }), unauthorized)
    const { status, text } = await http("/sessions", { headers: bearer(await sign(eve, { end: "-1h" })) })
    assert.strictEqual(status, 401)
    assert.include(text, "the access token has expired: get a new one")
  })

  const secretFile = fileURLToPath(new URL("../fixtures/tls/key.pem", import.meta.url))

  test(
    "comes in if the secret of a file has signed it",
    { LAB_JWT_SECRET_FILE: secretFile },
    async ({ enter }) => {
      const key = bytes(readFileSync(secretFile, "utf8").trim())
      assert.strictEqual(await enter({ token: await sign({ sub: "eve" }, { key }) }), "eve")
      assert.strictEqual(await enter({ token: await sign({ sub: "eve" }) }), unauthorized)
    }
  )

  it.live(
    "comes in if an issuer's published key vouches for it, by the claim that is named",
    () =>
      issuing(
        200,
        (keys, key) =>
          serving({ LAB_JWT_JWKS: keys, LAB_JWT_CLAIM: "email" }, async ({ enter }) => {
            const es256 = { alg: "ES256", key }
            assert.match(
              await enter({ token: await sign({ email: "eve@example.com" }, es256) }),
              /^eve-example-com--/
            )
            assert.strictEqual(await enter({ token: await sign({ sub: "eve" }, es256) }), unauthorized)
            assert.strictEqual(await enter({ token: await sign({ email: "eve" }) }), unauthorized)
          })
      ),
    timeout
  )

  it.live(
    "is told when it cannot be checked, and does not have to wait for that",
    () =>
      issuing(500, (keys, key) =>
        serving({ LAB_JWT_JWKS: keys }, async ({ enter, http }) => {
          const token = await sign({ sub: "eve" }, { alg: "ES256", key })
          for (let tries = 0; tries < 8; tries++) {
            const { status, text } = await http("/sessions", { headers: bearer(token) })
            assert.strictEqual(status, 401)
            assert.include(text, "cannot be checked at the moment: try again later")
          }
          assert.strictEqual(await enter({ token: "token-1" }), "ada")
        })),
    timeout
  )
})

describe("a user whom a proxy names", () => {
  const headers = { "x-forwarded-user": "eve" }
  const variables = (trusted: string) => ({
    LAB_USER_HEADER: "X-Forwarded-User",
    LAB_TRUSTED_PROXIES: trusted
  })

  test("comes in if the proxy is one that is named", variables("10.0.0.0/8,127.0.0.1"), async (door) => {
    assert.strictEqual(await door.enter({ headers }), "eve")
    assert.strictEqual(await door.enter({}), unauthorized)
    const from = { headers, from: "127.0.0.2" }
    assert.strictEqual((await door.http("/sessions", { headers })).status, 200)
    assert.strictEqual((await door.http("/sessions", from)).status, 401)
  })

  test("stays out if it is another", variables("10.0.0.0/8"), async ({ enter }) => {
    assert.strictEqual(await enter({ headers }), unauthorized)
  })
})

describe("a browser", () => {
  const accept = { accept: "text/html,*/*" }
  const logIn = (token: string, headers = {}) => ({
    method: "POST",
    headers: { "content-type": "application/x-www-form-urlencoded", ...headers },
    body: new URLSearchParams({ token }).toString()
  })

  test("shows its token once, and is known by a cookie from then on", {}, async ({ enter, http }) => {
    const door = await http("/", { headers: accept })
    assert.strictEqual(door.status, 401)
    assert.include(door.text, "<form method=\"post\" action=\"/lab/login\">")
    assert.include(door.headers["content-security-policy"], "default-src 'none'")

    const refused = await http("/lab/login", logIn("token-3"))
    assert.strictEqual(refused.status, 401)
    assert.include(refused.text, "the access token is wrong")
    assert.notProperty(refused.headers, "set-cookie")

    const opened = await http("/lab/login", logIn("token-1"))
    assert.strictEqual(opened.status, 303)
    assert.strictEqual(opened.headers.location, "/")
    const [set = ""] = opened.headers["set-cookie"] ?? []
    // It stands for the token, and is not the token.
    assert.match(set, /^ai_relay_lab=[\w-]{43}; .*HttpOnly; SameSite=Strict$/)
    const cookie = { cookie: set.split(";", 1).join("") }
    const page = await http("/", { headers: { ...accept, ...cookie } })
    assert.strictEqual(page.status, 200)
    assert.notInclude(page.text, "/lab/login")
    assert.strictEqual(await enter({ headers: cookie }), "ada")

    // Anybody can say so.
    const claimed = await http("/lab/login", logIn("token-1", { "x-forwarded-proto": "https" }))
    assert.notInclude(String(claimed.headers["set-cookie"]), "Secure")

    const left = await http("/lab/logout", { method: "POST", headers: cookie })
    assert.strictEqual(left.status, 303)
    assert.match(String(left.headers["set-cookie"]), /^ai_relay_lab=; .*Max-Age=0$/)
    // Whoever has kept the cookie has nothing.
    assert.strictEqual((await http("/", { headers: { ...accept, ...cookie } })).status, 401)
  })

  test(
    "keeps the cookie for TLS alone, where a proxy that is believed speaks it",
    { LAB_TRUSTED_PROXIES: "127.0.0.1" },
    async ({ http }) => {
      const secure = await http("/lab/login", logIn("token-1", { "x-forwarded-proto": "https" }))
      assert.match(String(secure.headers["set-cookie"]), /; Secure$/)
    }
  )

  test("gets nothing for a page of somebody else", {}, async ({ enter, http }) => {
    const [set = ""] = (await http("/lab/login", logIn("token-1"))).headers["set-cookie"] ?? []
    const headers = { origin: "https://evil.example", cookie: set.split(";", 1).join("") }
    assert.strictEqual((await http("/sessions", { headers })).status, 403)
    assert.strictEqual((await http("/lab/login", logIn("token-1", headers))).status, 403)
    assert.include(await enter({ headers }).catch(String), "403")
  })
})

describe("whoever sends wrong tokens", () => {
  const wrong = { headers: bearer("guess") }
  const guess = async ({ enter }: Door) => {
    for (let tries = 0; tries < 5; tries++) assert.strictEqual(await enter({ token: "guess" }), unauthorized)
  }

  test("has to wait, however they come, and nobody else has to", {}, async (door) => {
    await guess(door)
    assert.strictEqual(await door.enter({ token: "guess" }), overloaded)
    const { status, text } = await door.http("/sessions", wrong)
    assert.deepStrictEqual([status, JSON.parse(text).code], [429, "overloaded"])
    assert.match(text, /wait \d+ s, then send the right one/)
    const page = await door.http("/", { headers: { ...wrong.headers, accept: "text/html" } })
    assert.strictEqual(page.status, 429)
    const login = await door.http("/lab/login", { method: "POST", body: "token=guess" })
    assert.strictEqual(login.status, 429)
    assert.match(login.text, /wait \d+ s/)
    assert.strictEqual((await door.http("/sessions", { ...wrong, from: "127.0.0.2" })).status, 401)
    // A right token works beside the guesses from its own address, and makes up for them.
    assert.strictEqual((await door.http("/sessions", { headers: bearer("token-1") })).status, 200)
    assert.strictEqual((await door.http("/sessions", wrong)).status, 401)
  })

  test(
    "behind a proxy is told from its other clients",
    { LAB_TRUSTED_PROXIES: "127.0.0.1" },
    async ({ http }) => {
      const of = (hops: string, token: string) =>
        http("/sessions", { headers: { ...bearer(token), "x-forwarded-for": hops } })
      // What stands before the last hop, a client may have made up.
      for (let tries = 0; tries < 5; tries++) await of(`10.9.9.${tries}, 192.0.2.1`, "guess")
      assert.strictEqual((await of("10.9.9.9, 192.0.2.1", "guess")).status, 429)
      assert.strictEqual((await of("192.0.2.1, 192.0.2.2", "guess")).status, 401)
    }
  )

  test("cannot hide behind a header that no proxy has set", {}, async (door) => {
    await guess(door)
    const headers = { ...wrong.headers, "x-forwarded-for": "192.0.2.7" }
    assert.strictEqual((await door.http("/sessions", { headers })).status, 429)
  })
})

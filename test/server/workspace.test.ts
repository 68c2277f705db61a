/** The files beside a conversation, as a page asks for them: who may see which, and who may change what. */
import { assert, describe } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { execFileSync } from "node:child_process"
import { once } from "node:events"
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from "node:fs"
import { request } from "node:http"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll } from "vitest"
import { filesOf, RelayError } from "../../src/client/node.js"
import * as Tokens from "../../src/services/access/Tokens.js"
import { until } from "../support/processes.js"
import { type Options, type Relay, test } from "../support/relayServer.js"

const base = realpathSync(mkdtempSync(join(tmpdir(), "ai-relay-workspace-")))
afterAll(() => rmSync(base, { recursive: true, force: true }))

let count = 0
const fresh = (name: string) => {
  const folder = join(base, `${name}-${count++}`)
  mkdirSync(folder)
  return folder
}
const repository = () => {
  const folder = fresh("shop")
  const run = (...args: ReadonlyArray<string>) => execFileSync("git", args, { cwd: folder, stdio: "ignore" })
  run("init", "-q", "-b", "main")
  run("config", "user.name", "Ada")
  run("config", "user.email", "ada@example.com")
  mkdirSync(join(folder, "src"))
  writeFileSync(join(folder, "src/total.ts"), "one\n")
  run("add", "-A")
  run("commit", "-qm", "first")
  writeFileSync(join(folder, "src/total.ts"), "two\n")
  return folder
}

interface Asked {
  readonly method?: string
  readonly token?: string
  readonly json?: object
  readonly bytes?: Uint8Array
  readonly type?: string
}
const ask = async (relay: Relay, path: string, { bytes, json, method = "GET", token, type }: Asked = {}) => {
  const content_type = type ?? (json !== undefined ? "application/json" : "application/octet-stream")
  const answer = await fetch(`http://127.0.0.1:${relay.port}${path}`, {
    method,
    headers: {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...((json ?? bytes) !== undefined && { "content-type": content_type })
    },
    ...((json ?? bytes) !== undefined && { body: bytes ?? JSON.stringify(json) })
  })
  // Whatever it is, the tests look at it by name.
  return {
    status: answer.status,
    body: await answer.json() as Record<string, never> & { readonly text: string }
  }
}
const made = async (relay: Relay, body: object) => {
  const { body: token } = await ask(relay, "/devices", {
    method: "POST",
    token: "root-token-of-the-test",
    json: body
  })
  return (token as unknown as { readonly token: string }).token
}
const withState = (more: Options = {}): Options => ({
  tool: "fake",
  roots: [base],
  state_dir: fresh("state"),
  audit_dir: fresh("audit"),
  ...more
})

describe("the files beside a session", () => {
  const folder = repository()
  const options = withState()
  test("are listed, read, found, compared and committed", async (relay) => {
    await relay.join({ folder })
    const files = await ask(relay, "/sessions/s/files")
    assert.deepStrictEqual(files.body["entries"] as unknown, [
      { ...(files.body["entries"] as unknown as ReadonlyArray<object>)[0], name: "src", kind: "folder" }
    ])
    assert.deepInclude((await ask(relay, "/sessions/s/file?path=src/total.ts")).body as object, {
      text: "two\n",
      size: 4
    })
    assert.deepInclude(
      (await ask(relay, "/sessions/s/file?path=src/total.ts&offset=1&length=2")).body as object,
      {
        text: "wo",
        next_offset: 3
      }
    )
    assert.deepStrictEqual((await ask(relay, "/sessions/s/find?q=ttl")).body as object, {
      files: ["src/total.ts"],
      complete: true
    })
    const changes = await ask(relay, "/sessions/s/changes")
    assert.deepStrictEqual(changes.body["files"] as unknown, [{ path: "src/total.ts", unstaged: "changed" }])
    assert.include(
      (await ask(relay, "/sessions/s/diff?path=src/total.ts&against=main")).body["diff"] as unknown as string,
      "+two"
    )
    const commit = await ask(relay, "/sessions/s/commit", {
      method: "POST",
      json: { message: "Count anew", files: ["src/total.ts"] }
    })
    assert.strictEqual(commit.status, 201)
    assert.deepInclude(commit.body as object, { branch: "main", files: 1, ran: [] })
    assert.deepStrictEqual((await ask(relay, "/sessions/s/changes")).body["files"] as unknown, [])
    const audit = readFileSync(join(options.audit_dir ?? "", "audit.ndjson"), "utf8")
    assert.include(audit, "\"what\":\"commit\"")
    assert.include(audit, "Count anew")
  }, options)

  test("are sent as they are, whole or a range of them, and never as a page", async (relay) => {
    const folder = repository()
    const png = Buffer.concat([Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), Buffer.alloc(700_000, 7)])
    writeFileSync(join(folder, "a b\"ü.png"), png)
    writeFileSync(join(folder, "page.html"), "<script>alert(1)</script>")
    writeFileSync(join(folder, "drawing.svg"), "<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>")
    await relay.join({ folder })
    const raw = async (path: string, range?: string, method = "GET") => {
      const answer = await fetch(
        `http://127.0.0.1:${relay.port}/sessions/s/raw?path=${encodeURIComponent(path)}`,
        { method, ...(range !== undefined && { headers: { range } }) }
      )
      return { answer, bytes: Buffer.from(await answer.arrayBuffer()) }
    }
    const { answer, bytes } = await raw("a b\"ü.png")
    assert.strictEqual(answer.status, 200)
    assert.isTrue(bytes.equals(png))
    const told = Object.fromEntries(answer.headers)
    assert.deepInclude(told, {
      "content-type": "image/png",
      "content-length": String(png.length),
      "content-disposition": "attachment; filename=\"a b__.png\"; filename*=UTF-8''a%20b%22%C3%BC.png",
      "content-security-policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
      "x-content-type-options": "nosniff",
      "accept-ranges": "bytes"
    })
    for (const name of ["page.html", "drawing.svg", "src/total.ts"]) {
      assert.strictEqual(
        (await raw(name)).answer.headers.get("content-type"),
        "application/octet-stream",
        name
      )
    }
    const ranges: ReadonlyArray<readonly [range: string, status: number, from: number, to: number]> = [
      ["bytes=0-3", 206, 0, 4],
      ["bytes=699000-", 206, 699_000, png.length],
      ["bytes=-10", 206, png.length - 10, png.length],
      ["bytes=5-99999999", 206, 5, png.length],
      // What is no range, or several, asks for all of it.
      ["bytes=5-2", 200, 0, png.length],
      ["bytes=0-1,4-5", 200, 0, png.length],
      ["lines=1-2", 200, 0, png.length]
    ]
    for (const [range, status, from, to] of ranges) {
      const { answer, bytes } = await raw("a b\"ü.png", range)
      assert.strictEqual(answer.status, status, range)
      assert.isTrue(bytes.equals(png.subarray(from, to)), range)
      const place = status === 206 ? `bytes ${from}-${to - 1}/${png.length}` : null
      assert.strictEqual(answer.headers.get("content-range"), place, range)
    }
    const behind = await raw("src/total.ts", "bytes=4-")
    assert.strictEqual(behind.answer.status, 416)
    assert.strictEqual(behind.answer.headers.get("content-range"), "bytes */4")
    const head = await raw("src/total.ts", undefined, "HEAD")
    assert.deepStrictEqual([head.answer.headers.get("content-length"), head.bytes.length], ["4", 0])
    for (
      const [path, status] of [["../x", 400], ["src", 400], [".git/config", 403], ["none", 404]] as const
    ) {
      assert.strictEqual((await raw(path)).answer.status, status, path)
    }
  }, withState())

  test("are staged, taken out of what is staged, and what is staged is committed", async (relay) => {
    const folder = repository()
    writeFileSync(join(folder, "new.txt"), "new\n")
    await relay.join({ folder })
    const stage = (json: object) => ask(relay, "/sessions/s/stage", { method: "POST", json })
    const staged = await stage({ files: ["src/total.ts", "new.txt"], staged: true })
    assert.strictEqual(staged.status, 200)
    assert.deepStrictEqual(staged.body["files"] as unknown, [
      { path: "new.txt", staged: "added" },
      { path: "src/total.ts", staged: "changed" }
    ])
    const less = await stage({ files: ["new.txt"], staged: false })
    assert.deepStrictEqual(less.body["files"] as unknown, [
      { path: "new.txt", untracked: true },
      { path: "src/total.ts", staged: "changed" }
    ])
    writeFileSync(join(folder, "src/total.ts"), "three\n")
    const commit = await ask(relay, "/sessions/s/commit", { method: "POST", json: { message: "Two" } })
    assert.deepInclude(commit.body as object, { files: 1 })
    assert.deepStrictEqual((await ask(relay, "/sessions/s/changes")).body["files"] as unknown, [
      { path: "new.txt", untracked: true },
      { path: "src/total.ts", unstaged: "changed" }
    ])
    for (const json of [{}, { files: "a", staged: true }, { files: [], staged: 1 }]) {
      const { body, status } = await stage(json)
      assert.strictEqual(status, 400)
      assert.match(body.text, /send JSON with `files`/)
    }
    assert.strictEqual((await stage({ files: ["../x"], staged: true })).status, 400)
    assert.strictEqual((await stage({ files: [".git/config"], staged: true })).status, 403)
  }, withState())

  test("are refused with what to do, and each in its own way", async (relay) => {
    const folder = repository()
    symlinkSync("/etc", join(folder, "etc"))
    await relay.join({ folder })
    const cases: ReadonlyArray<readonly [path: string, status: number, text: RegExp]> = [
      ["/sessions/none/files", 404, /GET \/sessions lists/],
      ["/sessions/s/files?path=../", 400, /without `\.\.`/],
      ["/sessions/s/files?path=src/total.ts", 400, /not a folder/],
      ["/sessions/s/files?path=nowhere", 404, /list the folder/],
      ["/sessions/s/file", 400, /\?path=/],
      ["/sessions/s/file?path=src", 400, /list it/],
      ["/sessions/s/file?path=etc/passwd", 403, /leads out/],
      ["/sessions/s/file?path=.git/config", 403, /not shown/],
      ["/sessions/s/file?path=src/total.ts&offset=-1", 400, /`offset`/],
      ["/sessions/s/file?path=src/total.ts&length=9999999", 400, /`length`/],
      ["/sessions/s/find?q=a&limit=0", 400, /`limit`/],
      ["/sessions/s/changes?against=-x", 404, /knows no commit/],
      ["/folders?path=/etc", 403, /outside the allowed folders/],
      ["/folders?path=nowhere-at-all", 404, /does not exist|outside/]
    ]
    for (const [path, status, text] of cases) {
      const { body, status: told } = await ask(relay, path)
      assert.match(body.text, text, path)
      assert.include([status, 403], told, path)
    }
    for (const json of [{}, { message: 1 }, { message: "x", files: "a" }, { message: "x".repeat(30_000) }]) {
      const { body, status } = await ask(relay, "/sessions/s/commit", { method: "POST", json })
      assert.strictEqual(status, 400)
      assert.match(body.text, /send JSON with `message`/)
    }
  }, withState())

  test("of a session that is over are still there; of a folder that is gone not", async (relay) => {
    const folder = repository()
    const client = await relay.join({ folder })
    await client.turn("hello")
    client.send({ type: "end" })
    await client.closed
    assert.strictEqual((await ask(relay, "/sessions/s/file?path=src/total.ts")).status, 200)
    rmSync(folder, { recursive: true })
    const gone = await ask(relay, "/sessions/s/files")
    assert.strictEqual(gone.status, 404)
    assert.match(gone.body.text, /does not exist/)
  }, withState())

  const tokens = withState({ token: Redacted.make("root-token-of-the-test") })
  test("are shown to tokens within their limits only", async (relay) => {
    const folder = repository()
    const hook = join(folder, ".git/hooks/pre-commit")
    mkdirSync(join(hook, ".."), { recursive: true })
    writeFileSync(hook, `#!/bin/sh\ntouch ${folder}/ran\n`)
    chmodSync(hook, 0o755)
    const root = "root-token-of-the-test"
    const client = await relay.connect({ tool: "fake", session_id: "s", folder, token: root })
    await client.waitFor("session_start")
    const [view, prompter] = [
      await made(relay, { scopes: ["view"], expires_in: 600 }),
      await made(relay, { scopes: ["prompt"], expires_in: 600 })
    ]
    const commit = { method: "POST", json: { message: "x", files: ["src/total.ts"] } }
    assert.strictEqual((await ask(relay, "/sessions/s/files")).status, 401)
    assert.strictEqual((await ask(relay, "/sessions/s/files", { token: view })).status, 200)
    assert.strictEqual((await ask(relay, "/sessions/s/commit", { ...commit, token: view })).status, 403)
    const stage = { method: "POST", json: { files: ["src/total.ts"], staged: true } }
    assert.strictEqual((await ask(relay, "/sessions/s/stage", { ...stage, token: view })).status, 403)
    assert.strictEqual((await ask(relay, "/folders", { token: view })).status, 403)
    const refused = await ask(relay, "/sessions/s/commit", { ...commit, token: prompter })
    assert.strictEqual(refused.status, 403)
    assert.match(refused.body.text, /the hook pre-commit.*`terminal`/)
    assert.isFalse(existsSync(join(folder, "ran")))
    // Whoever is shown a conversation is not shown all files beside it.
    const shared = await ask(relay, "/sessions/s/share", {
      method: "POST",
      token: root,
      json: { scopes: ["view"], expires_in: 600 }
    })
    const link = (shared.body as unknown as { readonly token: string }).token
    assert.strictEqual((await ask(relay, "/whoami", { token: link })).status, 200)
    const files = ["files", "file?path=src/total.ts", "raw?path=src/total.ts", "find?q=a", "changes"]
    for (const path of [...files, "diff?path=src/total.ts"]) {
      const { body, status } = await ask(relay, `/sessions/s/${path}`, { token: link })
      assert.strictEqual(status, 403, path)
      assert.match(body.text, /needs the scope `prompt`/)
    }
    const done = await ask(relay, "/sessions/s/commit", { ...commit, token: root })
    assert.deepInclude(done.body as object, { ran: ["the hook pre-commit"] })
    assert.isTrue(existsSync(join(folder, "ran")))
  }, tokens)
})

describe("a token for one folder", () => {
  const root = "root-token-of-the-test"
  const [own, other] = [fresh("own"), fresh("other")]
  const options = withState({ token: Redacted.make(root) })
  mkdirSync(join(own, "work"))
  writeFileSync(join(other, "secret.txt"), "a secret")

  test(
    "sees no files where a session's folder leads since, and hears of no folder elsewhere",
    async (relay) => {
      const client = await relay.connect({
        tool: "fake",
        session_id: "s",
        folder: join(own, "work"),
        token: root
      })
      await client.waitFor("session_start")
      const { token } = await Effect.runPromise(
        Tokens.onShelf(options.state_dir).make({ name: "one", scopes: ["prompt"], folders: [own] })
      )
      assert.strictEqual((await ask(relay, "/sessions/s/files", { token })).status, 200)
      rmSync(join(own, "work"), { recursive: true })
      symlinkSync(other, join(own, "work"))
      for (const path of ["files", "file?path=secret.txt", "find?q=secret", "changes"]) {
        const { body, status } = await ask(relay, `/sessions/s/${path}`, { token })
        assert.strictEqual(status, 403, path)
        assert.notInclude(JSON.stringify(body), "secret.txt")
      }
      assert.strictEqual((await ask(relay, "/sessions/s/files", { token: root })).status, 200)
      const folderAt = (path: string) => ask(relay, `/folders?path=${encodeURIComponent(path)}`, { token })
      assert.deepStrictEqual(await folderAt(join(base, "nowhere")), await folderAt(other))
      assert.strictEqual((await folderAt(join(own, "nowhere"))).status, 404)
    },
    options
  )
})

describe("the client", () => {
  const root = "root-token-of-the-test"
  test(
    "asks for files by functions that say what they give, and fails with the relay's words",
    async (relay) => {
      const folder = repository()
      const client = await relay.connect({ tool: "fake", session_id: "s", folder, token: root })
      await client.waitFor("session_start")
      const url = `ws://127.0.0.1:${relay.port}`
      const files = filesOf({ url, session_id: "s", token: () => Promise.resolve(root) })
      assert.deepStrictEqual((await files.list()).entries.map(({ name }) => name), ["src"])
      assert.deepStrictEqual((await files.list("src")).entries.map(({ name, size }) => [name, size]), [[
        "total.ts",
        4
      ]])
      assert.strictEqual((await files.read("src/total.ts", { offset: 1, length: 2 })).text, "wo")
      assert.strictEqual(await (await files.raw("src/total.ts")).text(), "two\n")
      assert.strictEqual(await (await files.raw("src/total.ts", { from: 1, to: 3 })).text(), "wo")
      assert.strictEqual(await (await files.raw("src/total.ts", { from: 1 })).text(), "wo\n")
      assert.deepStrictEqual((await files.find("ttl", { limit: 1 })).files, ["src/total.ts"])
      assert.deepStrictEqual((await files.changes()).files, [{ path: "src/total.ts", unstaged: "changed" }])
      assert.match((await files.changes({ against: "main" })).against ?? "", /^[0-9a-f]{40}$/)
      assert.include((await files.diff("src/total.ts", { against: "main" })).diff, "+two")
      const staged = await files.stage(["src/total.ts"])
      assert.deepStrictEqual(staged.files, [{ path: "src/total.ts", staged: "changed" }])
      assert.deepStrictEqual((await files.stage(["src/total.ts"], false)).files, [
        { path: "src/total.ts", unstaged: "changed" }
      ])
      assert.deepInclude(await files.commit({ message: "Count anew", files: ["src/total.ts"] }), { files: 1 })
      const kept = await files.attach("a.csv", "a,b\n", { into: "folder" })
      assert.strictEqual(readFileSync(kept.path, "utf8"), "a,b\n")

      const failing = (promise: Promise<unknown>) =>
        promise.then(() => assert.fail("it was done"), (error: unknown) => error as RelayError)
      const missing = await failing(files.read("none"))
      assert.instanceOf(missing, RelayError)
      assert.strictEqual(missing.code, "not_found")
      assert.match(missing.message, /list the folder/)
      assert.strictEqual((await failing(files.commit({ message: "x" }))).code, "conflict")
      assert.strictEqual((await failing(files.raw(".git/config"))).code, "forbidden")
      const stranger = filesOf({ url, session_id: "s", token: "wrong" })
      assert.strictEqual((await failing(stranger.list())).code, "unauthorized")
      const nowhere = await failing(filesOf({ url: "ws://127.0.0.1:9", session_id: "s" }).list())
      assert.strictEqual(nowhere.code, "unreachable")
      assert.match(nowhere.message, /cannot reach http:\/\/127\.0\.0\.1:9.*--allow-origin/)
      const left = await failing(files.list("", { signal: AbortSignal.abort() }) as Promise<unknown>)
      assert.notInstanceOf(left, RelayError)
    },
    withState({ token: Redacted.make(root) })
  )
})

describe("folders to choose from", () => {
  test("begin at the roots, and lead nowhere else", async (relay) => {
    const listed = (await ask(relay, "/folders")).body as unknown as {
      readonly folders: ReadonlyArray<{ readonly path: string }>
    }
    assert.deepStrictEqual(listed.folders.map(({ path }) => path), [base])
    const folder = fresh("pick")
    for (const name of ["b", ".a", "repo/.git"]) mkdirSync(join(folder, name), { recursive: true })
    writeFileSync(join(folder, "file"), "")
    symlinkSync("/etc", join(folder, "etc"))
    symlinkSync("b", join(folder, "link"))
    const { body } = await ask(relay, `/folders?path=${encodeURIComponent(folder)}`)
    assert.deepStrictEqual(body as object, {
      folder,
      parent: base,
      folders: [
        { name: ".a", path: join(folder, ".a"), hidden: true },
        { name: "b", path: join(folder, "b") },
        { name: "link", path: join(folder, "link") },
        { name: "repo", path: join(folder, "repo"), repository: true }
      ]
    })
    const top = (await ask(relay, `/folders?path=${encodeURIComponent(base)}`)).body
    assert.notProperty(top, "parent")
  }, withState())
})

describe("an attachment", () => {
  const state = fresh("state")
  test("is kept with the session and goes with it, or in its folder if that is wanted", async (relay) => {
    const folder = repository()
    const client = await relay.join({ folder })
    await client.turn("hello")
    const bytes = new Uint8Array([0, 1, 2, 255])
    const send = (query: string, more: Asked = {}) =>
      ask(relay, `/sessions/s/attachments?${query}`, { method: "POST", bytes, ...more })
    const kept = await send("name=..%2F..%2Fa%20b.pdf")
    assert.strictEqual(kept.status, 201)
    const { path } = kept.body as unknown as { readonly path: string }
    assert.strictEqual(path, join(state, "sessions/s/attachments/a b.pdf"))
    assert.deepStrictEqual(new Uint8Array(readFileSync(path)), bytes)
    const put = await send("name=x.pdf&into=folder")
    assert.strictEqual(
      (put.body as unknown as { readonly path: string }).path,
      join(folder, "attachments/x.pdf")
    )
    assert.strictEqual((await send("")).status, 400)
    assert.strictEqual((await send("name=a&into=/etc")).status, 400)
    assert.strictEqual((await send("name=a", { type: "text/plain" })).status, 415)
    client.send({ type: "end" })
    await client.closed
    assert.strictEqual(
      (await fetch(`http://127.0.0.1:${relay.port}/sessions/s`, { method: "DELETE" })).status,
      204
    )
    assert.isFalse(existsSync(path))
  }, withState({ state_dir: state }))

  test(
    "that is cut off leaves alone the file of its name in a session that was opened anew",
    async (relay) => {
      const folder = repository()
      const path = join(state, "sessions/s/attachments/a")
      const open = async () => (await relay.join({ folder })).turn("hello")
      await open()
      const begun = () =>
        request({
          ...{ host: "127.0.0.1", port: relay.port, path: "/sessions/s/attachments?name=a", method: "POST" },
          headers: { "content-type": "application/octet-stream", "content-length": 100 }
        }).on("error", () => {})
      const [cut, whole] = [begun(), begun()]
      const answered = once(whole, "response")
      cut.write("ab")
      whole.write("ab")
      await until(() => existsSync(path) && existsSync(`${path}-2`))
      await fetch(`http://127.0.0.1:${relay.port}/sessions/s`, { method: "DELETE" })
      await open()
      for (const _ of ["a", "a-2"]) {
        const sent = await ask(relay, "/sessions/s/attachments?name=a", {
          method: "POST",
          bytes: new Uint8Array(6)
        })
        assert.strictEqual(sent.status, 201)
      }
      cut.destroy()
      whole.end("x".repeat(98))
      const [answer] = await answered
      assert.strictEqual(answer.statusCode, 404, "it went with its session")
      await ask(relay, "/sessions")
      assert.deepStrictEqual([path, `${path}-2`].map((file) => readFileSync(file).length), [6, 6])
    },
    withState({ state_dir: state })
  )

  test("has nowhere to be kept without a state folder, and is told where", async (relay) => {
    const folder = repository()
    await relay.join({ folder })
    const { body, status } = await ask(relay, "/sessions/s/attachments?name=a", {
      method: "POST",
      bytes: new Uint8Array(1)
    })
    assert.strictEqual(status, 409)
    assert.match(body.text, /into=folder/)
  }, { tool: "fake", roots: [base] })
})

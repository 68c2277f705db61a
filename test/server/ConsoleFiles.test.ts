import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import type { IncomingMessage, ServerResponse } from "node:http"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { ConsoleFiles } from "../../src/server/ConsoleFiles.js"

interface Answered {
  readonly served: boolean
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: string | undefined
}

/** What the request gets; the answer's bytes are read as text. */
const ask = (folder: string, path: string, encoding = "", method = "GET") =>
  Effect.gen(function*() {
    let headers: Record<string, unknown> = {}
    let body: string | undefined
    // Only what a static file's answer uses of Node's request and response.
    const request = { method, headers: { "accept-encoding": encoding } } as unknown as IncomingMessage
    const response = {
      writeHead: (_: number, given: Record<string, unknown>) => void (headers = given),
      end: (content?: Uint8Array) => void (body = content && Buffer.from(content).toString("utf8"))
    } as unknown as ServerResponse
    const served = yield* (yield* ConsoleFiles).answer(path, request, response)
    return { served, headers, body } satisfies Answered
  }).pipe(
    Effect.provide(
      ConsoleFiles.layer([join(folder, "nowhere"), folder]).pipe(
        Layer.provide(Layer.merge(NodeFileSystem.layer, NodePath.layer))
      )
    )
  )

describe("ConsoleFiles", () => {
  let folder = ""
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "ai-relay-console-"))
    mkdirSync(join(folder, "assets"))
    const html = { path: "/index.html", type: "text/html; charset=utf-8", immutable: false, compressed: true }
    const script = {
      path: "/assets/a-1.js",
      type: "text/javascript; charset=utf-8",
      immutable: true,
      compressed: true
    }
    const font = { path: "/assets/f-1.woff2", type: "font/woff2", immutable: true, compressed: false }
    writeFileSync(join(folder, "files.json"), JSON.stringify([html, script, font]))
    for (const name of ["index.html", "assets/a-1.js"]) {
      for (const [ending, text] of [["", "plain"], [".br", "brotli"], [".gz", "gzip"]]) {
        writeFileSync(join(folder, `${name}${ending}`), `${text} ${name}`)
      }
    }
    writeFileSync(join(folder, "assets/f-1.woff2"), "font")
    writeFileSync(join(folder, "secret.txt"), "secret")
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  it.effect("gives the page at /, to be asked for each time, under a strict policy", () =>
    Effect.gen(function*() {
      const { body, headers, served } = yield* ask(folder, "/")
      assert.isTrue(served)
      assert.strictEqual(body, "plain index.html")
      assert.strictEqual(headers["cache-control"], "no-cache")
      assert.include(headers["content-security-policy"], "default-src 'none'; script-src 'self';")
      assert.include(headers["content-security-policy"], "connect-src 'self';")
      assert.strictEqual(headers["x-content-type-options"], "nosniff")
    }))

  it.effect("gives named files for ever, in the best form the client takes", () =>
    Effect.gen(function*() {
      const best = yield* ask(folder, "/assets/a-1.js", "gzip, deflate, br")
      assert.strictEqual(best.body, "brotli assets/a-1.js")
      assert.strictEqual(best.headers["content-encoding"], "br")
      assert.strictEqual(best.headers["vary"], "accept-encoding")
      assert.include(String(best.headers["cache-control"]), "immutable")
      assert.strictEqual(
        (yield* ask(folder, "/assets/a-1.js", "br;q=0, gzip")).headers["content-encoding"],
        "gzip"
      )
      assert.isUndefined((yield* ask(folder, "/assets/f-1.woff2", "br")).headers["content-encoding"])
    }))

  it.effect("sends no body for HEAD", () =>
    Effect.gen(function*() {
      const { body, headers } = yield* ask(folder, "/", "", "HEAD")
      assert.isUndefined(body)
      assert.strictEqual(headers["content-length"], 16)
    }))

  it.effect("serves nothing that is not on the list, whatever the path", () =>
    Effect.gen(function*() {
      for (
        const path of [
          "/secret.txt",
          "/files.json",
          "/assets/../secret.txt",
          "//index.html",
          "/..%2fsecret.txt",
          "/assets",
          "/constructor",
          ""
        ]
      ) {
        assert.isFalse((yield* ask(folder, path)).served, path)
      }
    }))

  it.effect("serves nothing where the console was not built", () =>
    Effect.gen(function*() {
      assert.isFalse((yield* ask(join(folder, "nowhere"), "/")).served)
    }))
})

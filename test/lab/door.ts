/** door: a whole lab in this process, and whoever knocks at it, over real sockets. */
import { ConfigProvider, Context, Effect, Layer, Logger } from "effect"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { type IncomingHttpHeaders, request } from "node:http"
import { tmpdir } from "node:os"
import { basename, join } from "node:path"
import * as Lab from "../../src/lab/Lab.js"
import { LabServer } from "../../src/lab/LabServer.js"
import { connect } from "../support/client.js"

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

export interface Ask {
  readonly method?: string
  readonly headers?: Record<string, string>
  readonly body?: string
  /** Of this machine's many addresses, the one to come from. */
  readonly from?: string
}

export interface Door {
  readonly port: number
  /** Whose token is whose. */
  readonly tokens_file: string
  readonly http: (path: string, ask?: Ask) => Promise<Answer>
  /** Whose relay a socket reaches; or how it is refused: the error's code, and the close code. */
  readonly enter: (who: { token?: string; headers?: Record<string, string> }) => Promise<string>
}

const httpAt = (port: number): Door["http"] => (path, { body, from, headers = {}, method = "GET" } = {}) =>
  new Promise((resolve, reject) => {
    const local = from === undefined ? {} : { localAddress: from }
    request({ host: "127.0.0.1", port, path, method, headers, agent: false, ...local }, (response) => {
      let text = ""
      response.on("data", (piece: Buffer) => (text += piece.toString()))
      response.once(
        "end",
        () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text })
      )
    }).once("error", reject).end(body)
  })

/** A relay starts in its user's folder, and its list of sessions says so. */
const enterAt = (port: number): Door["enter"] => async ({ headers = {}, token }) => {
  const handshake = { tool: "demo", session_id: "demo", ...(token !== undefined && { token }) }
  const client = await connect(`ws://127.0.0.1:${port}`, handshake, { headers })
  const first = await client.waitFor(({ type }) => type === "session_start" || type === "error")
  if (first.type === "error") return `${first["code"]} ${await client.closed}`
  const bearer = token === undefined ? {} : { authorization: `Bearer ${token}` }
  const { text } = await httpAt(port)("/sessions", { headers: { ...headers, ...bearer } })
  client.send({ type: "end" })
  await client.closed
  return basename((JSON.parse(text) as { sessions: [{ folder: string }] }).sessions[0].folder)
}

/** A lab with these variables, as long as `body` takes. Its token file knows ada by token-1 and Bob Ray by token-2. */
export const serving = (
  variables: Readonly<Record<string, string>>,
  body: (door: Door) => Promise<unknown>,
  options: Parameters<typeof Lab.layer>[0] = {}
) =>
  Effect.gen(function*() {
    const folder = yield* Effect.acquireRelease(
      Effect.sync(() => mkdtempSync(join(tmpdir(), "lab-door-"))),
      (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true }))
    )
    const file = join(folder, "tokens")
    writeFileSync(file, "ada token-1\nBob Ray token-2\n")
    const settings = {
      LAB_WORKSPACE_ROOT: join(folder, "workspaces"),
      LAB_TOKENS_FILE: file,
      ...variables
    }
    const lab = Lab.layer({ host: "127.0.0.1", port: 0, ...options }).pipe(
      Layer.provide(ConfigProvider.layer(ConfigProvider.fromEnv({ env: settings }))),
      Layer.provide(Logger.layer([]))
    )
    const { address: { port } } = Context.get(yield* Layer.build(lab), LabServer)
    yield* Effect.promise(() => body({ http: httpAt(port), enter: enterAt(port), port, tokens_file: file }))
  }).pipe(Effect.scoped)

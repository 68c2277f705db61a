/**
 * ConsoleFiles: the console, the page the relay serves at `/`.
 *
 * The build puts it into dist/console with a list of its files (`files.json`). Only files on that list are served, so no path
 * leads anywhere else; without a build, nothing is. Each file is read once, at its first request.
 */
import { Context, Effect, FileSystem, Layer, Option, Path, Schema } from "effect"
import type { IncomingMessage, ServerResponse } from "node:http"
import { fileURLToPath } from "node:url"

export class ConsoleFiles extends Context.Service<ConsoleFiles, {
  /** Sends the file with this path; false if there is none. */
  readonly answer: (
    path: string,
    request: IncomingMessage,
    response: ServerResponse
  ) => Effect.Effect<boolean>
}>()("ai-relay/server/ConsoleFiles") {
  /** Uses the first of `folders` that holds a build. */
  static readonly layer = (folders: ReadonlyArray<string> = places) => Layer.effect(this, make(folders))
}

/** Beside the bundled program, and above the library's modules. */
const places = ["./console", "../console"].map((place) => fileURLToPath(new URL(place, import.meta.url)))

/** One file of the console, as the build lists it. */
const SessionListing = Schema.Struct({
  /** Its path in URLs, such as `/assets/main-1a2b3c4d.js`. */
  path: Schema.String,
  type: Schema.String,
  /** Its name contains its hash, so it never changes. */
  immutable: Schema.Boolean,
  /** There are `.br` and `.gz` versions beside it. */
  compressed: Schema.Boolean
})
type SessionListing = typeof SessionListing.Type

const decodeList = Schema.decodeUnknownEffect(Schema.fromJsonString(Schema.Array(SessionListing)))

/**
 * Nothing from other origins, no inline scripts, no framing. Terminals write their colours into a style element, hence
 * `unsafe-inline` for styles only.
 */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "font-src 'self'",
  "img-src 'self' data: blob:",
  "connect-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'"
].join("; ")

const encodings = [["br", ".br"], ["gzip", ".gz"]] as const

const accepts = ({ headers }: IncomingMessage, encoding: string) =>
  String(headers["accept-encoding"] ?? "").split(",").some((entry) => {
    const [name, weight] = entry.trim().split(/\s*;\s*/)
    return name === encoding && !/^q=0(?:\.0*)?$/.test(weight ?? "")
  })

const make = Effect.fnUntraced(function*(folders: ReadonlyArray<string>) {
  const files = yield* FileSystem.FileSystem
  const paths = yield* Path.Path

  const listIn = (folder: string) =>
    files.readFileString(paths.join(folder, "files.json")).pipe(
      Effect.flatMap(decodeList),
      Effect.map((listed) => ({ folder, listed }))
    )
  const found = yield* Effect.option(Effect.firstSuccessOf(folders.map(listIn)))
  const { folder, listed } = Option.getOrElse(
    found,
    () => ({ folder: "", listed: [] as Array<SessionListing> })
  )
  const byPath = new Map(listed.map((file) => [file.path, file]))
  const contents = new Map<string, Uint8Array>()

  const read = Effect.fnUntraced(function*(name: string) {
    const kept = contents.get(name)
    if (kept !== undefined) return kept
    const content = yield* files.readFile(paths.join(folder, name))
    contents.set(name, content)
    return content
  })

  const answer = Effect.fnUntraced(
    function*(path: string, request: IncomingMessage, response: ServerResponse) {
      const file = byPath.get(path === "/" ? "/index.html" : path)
      if (file === undefined) return false
      const [encoding, ending] = (file.compressed
        ? encodings.find(([name]) => accepts(request, name))
        : undefined) ?? [undefined, ""]
      const content = yield* read(file.path + ending)
      response.writeHead(200, {
        "content-type": file.type,
        "content-length": content.byteLength,
        ...(encoding !== undefined && { "content-encoding": encoding }),
        ...(file.compressed && { vary: "accept-encoding" }),
        "cache-control": file.immutable ? "public, max-age=31536000, immutable" : "no-cache",
        "content-security-policy": policy,
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff"
      })
      response.end(request.method === "HEAD" ? undefined : content)
      return true
    },
    // Listed at the start but missing now: the installation is broken.
    Effect.orDie
  )

  return ConsoleFiles.of({ answer })
})

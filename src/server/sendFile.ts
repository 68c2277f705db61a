/**
 * sendFile: a file of a session's folder as it is, whole or a range of it, a piece at a time as the client takes it.
 *
 * Whatever it holds, a browser makes no page of it: it is a download, its type is told only where its first bytes are those of a
 * picture that runs nothing (an SVG is none), and opened by itself it is in a sandbox that allows nothing.
 */
import { Effect } from "effect"
import { read as readFd } from "node:fs"
import type { ServerResponse } from "node:http"
import type { Opened } from "../services/workspace/insideFolder.js"
import { Refused } from "./Call.js"
import { drained } from "./drained.js"
import { about, pathIn } from "./workspaceRoutes.js"

/** Bytes of one answer. */
const most = 512 * 1024 * 1024
const pieceBytes = 256 * 1024

const begins = (head: Buffer, text: string, at = 0) =>
  head.subarray(at, at + text.length).toString("latin1") === text

/** The type of a picture, by its first bytes. */
export const pictureType = (head: Buffer): string | undefined =>
  begins(head, "\x89PNG\r\n\x1a\n")
    ? "image/png"
    : begins(head, "\xff\xd8\xff")
    ? "image/jpeg"
    : begins(head, "GIF87a") || begins(head, "GIF89a")
    ? "image/gif"
    : begins(head, "RIFF") && begins(head, "WEBP", 8)
    ? "image/webp"
    : begins(head, "ftypavif", 4) || begins(head, "ftypavis", 4)
    ? "image/avif"
    : begins(head, "BM") && head.length > 26 && head.readUInt32LE(6) === 0
    ? "image/bmp"
    : begins(head, "\0\0\x01\0") && head.length > 22
    ? "image/x-icon"
    : undefined

export interface Range {
  readonly from: number
  /** The byte behind the last one. */
  readonly to: number
}

/** One range of bytes; undefined: the whole file, also for what is no range or are several; "none": it begins behind the end. */
export const rangeIn = (header: string | undefined, size: number): Range | "none" | undefined => {
  const [, first = "", last = ""] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header?.trim() ?? "") ?? []
  if (first === "" && last === "") return undefined
  if (first === "") {
    return Number(last) === 0 || size === 0
      ? "none"
      : { from: Math.max(0, size - Number(last)), to: size }
  }
  const from = Number(first)
  if (last !== "" && Number(last) < from) return undefined
  return from >= size ? "none" : { from, to: last === "" ? size : Math.min(size, Number(last) + 1) }
}

/** Completes in any case: the descriptor must stay this file's until a thread has read. */
const readAt = (fd: number, at: number, length: number) =>
  Effect.uninterruptible(Effect.callback<Buffer | undefined>((resume) => {
    readFd(
      fd,
      Buffer.alloc(length),
      0,
      length,
      at,
      (error, count, bytes) => resume(Effect.succeed(error === null ? bytes.subarray(0, count) : undefined))
    )
  }))

/** True when the client is ready for more; false when it is gone. */
const written = (response: ServerResponse, bytes: Buffer) =>
  Effect.suspend(() => response.destroyed || response.write(bytes) ? Effect.void : drained(response)).pipe(
    Effect.map(() => !response.destroyed)
  )

const body = Effect.fnUntraced(function*(response: ServerResponse, { fd }: Opened, { from, to }: Range) {
  for (let at = from; at < to;) {
    const bytes = yield* readAt(fd, at, Math.min(pieceBytes, to - at))
    // It has become shorter, or its disk fails: the client sees that it ended early.
    if (bytes === undefined || bytes.length === 0) return response.destroy()
    if (!(yield* written(response, bytes))) return
    at += bytes.length
  }
  response.end()
})

/** As RFC 8187 has it: any name, and a plain one for those who do not know that. */
const dispositionOf = (path: string): string => {
  const name = path.split("/").at(-1) || "file"
  const plain = name.replaceAll(/[^\w. -]/g, "_")
  const encoded = encodeURIComponent(name).replaceAll(
    /['()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16)}`
  )
  return `attachment; filename="${plain}"; filename*=UTF-8''${encoded}`
}

export const sendFile = about<"/sessions/{session_id}/raw">((here, { query, request, response }) =>
  Effect.scoped(Effect.gen(function*() {
    const path = yield* pathIn(query)
    const opened = yield* here.open(path)
    const { size } = opened.stat
    const asked = rangeIn(request.headers.range, size)
    if (asked === "none") {
      response.setHeader("content-range", `bytes */${size}`)
      return yield* new Refused({
        status: 416,
        code: "bad_command",
        reason: `the file has ${size} bytes: ask for a range within them`
      })
    }
    const { from, to } = asked ?? { from: 0, to: size }
    if (to - from > most) {
      return yield* new Refused({
        status: 413,
        code: "too_large",
        reason: `this would be ${
          to - from
        } bytes, and one answer has at most ${most}: ask for parts with the header \`range\``
      })
    }
    const head = yield* readAt(opened.fd, 0, Math.min(64, size))
    response.writeHead(asked === undefined ? 200 : 206, {
      "content-type": (head && pictureType(head)) ?? "application/octet-stream",
      "content-length": to - from,
      "content-disposition": dispositionOf(path),
      ...(asked !== undefined && { "content-range": `bytes ${from}-${to - 1}/${size}` }),
      "accept-ranges": "bytes",
      "cache-control": "no-store",
      "content-security-policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
      "x-content-type-options": "nosniff"
    })
    if (request.method === "HEAD") response.end()
    else yield* body(response, opened, { from, to })
  }))
)

/**
 * pushService: a push service of the test's own, and a browser's end of it. It takes messages as RFC 8030 says, knows the relay by
 * its key as RFC 8292 says, and the browser opens them as RFC 8291 and 8188 say. Nothing of it is the code it judges.
 */
import {
  createDecipheriv,
  createECDH,
  createHash,
  createPublicKey,
  hkdfSync,
  randomBytes,
  verify
} from "node:crypto"
import { once } from "node:events"
import { createServer, type IncomingMessage } from "node:http"
import type { AddressInfo } from "node:net"

export interface Pushed {
  readonly ttl: number
  readonly urgency: string
  readonly topic: string
  // Tests look at fields of many kinds of messages.
  // oxlint-disable-next-line no-explicit-any
  readonly message: any
}

/** A browser that is subscribed. */
export interface Browser {
  readonly subscription: { readonly endpoint: string; readonly keys: { p256dh: string; auth: string } }
  readonly pushed: ReadonlyArray<Pushed>
  /** The next one that was not taken yet; waits for one. */
  readonly next: () => Promise<Pushed>
  /** From now on the service answers this. */
  readonly answer: (status: number, location?: string) => void
}

export interface PushService {
  readonly origin: string
  /** What was wrong with what came; empty if all is as it should be. */
  readonly faults: ReadonlyArray<string>
  readonly requests: () => number
  readonly browser: (key: string) => Browser
  readonly end: () => Promise<void>
}

const bodyOf = async (request: IncomingMessage): Promise<Buffer> => {
  const parts: Array<Buffer> = []
  for await (const part of request) parts.push(part as Buffer)
  return Buffer.concat(parts)
}

/** RFC 8292: the sender proves that it has the key the subscription is bound to, for this service, and for a day at most. */
const problemOfVapid = (
  authorization: string | undefined,
  key: string,
  audience: string
): string | undefined => {
  const [, t = "", k = ""] = /^vapid t=([^,\s]+), ?k=(\S+)$/.exec(authorization ?? "") ?? []
  if (k !== key) return `the key is ${k}, the subscription is bound to ${key}`
  const [header = "", claims = "", signature = ""] = t.split(".")
  const point = Buffer.from(k, "base64url")
  const jwk = {
    kty: "EC",
    crv: "P-256",
    x: point.subarray(1, 33).toString("base64url"),
    y: point.subarray(33).toString("base64url")
  }
  const isSigned = verify(
    "sha256",
    Buffer.from(`${header}.${claims}`),
    { key: createPublicKey({ key: jwk, format: "jwk" }), dsaEncoding: "ieee-p1363" },
    Buffer.from(signature, "base64url")
  )
  if (!isSigned) return "it is not signed with the key"
  const { aud, exp, sub } = JSON.parse(Buffer.from(claims, "base64url").toString()) as Record<string, unknown>
  if (aud !== audience) return `it is for ${String(aud)}, not for ${audience}`
  const left = Number(exp) - Date.now() / 1000
  if (!(left > 0 && left <= 24 * 3600)) return `it is good for ${left} s`
  return /^(mailto:|https:)/.test(String(sub)) ? undefined : `its subject is ${String(sub)}`
}

/** RFC 8188 with the keys of RFC 8291: one record, as a push message is. */
const opened = (body: Buffer, own: ReturnType<typeof createECDH>, secret: Buffer): string => {
  const salt = body.subarray(0, 16)
  const size = body.readUInt32BE(16)
  const length = body.readUInt8(20)
  const theirs = body.subarray(21, 21 + length)
  const record = body.subarray(21 + length)
  if (length !== 65 || size < 18 || record.length > size || body.length > 4096) {
    throw new Error("no record of RFC 8188")
  }
  const info = Buffer.concat([Buffer.from("WebPush: info\0"), own.getPublicKey(), theirs])
  const input = Buffer.from(hkdfSync("sha256", own.computeSecret(theirs), secret, info, 32))
  const key = Buffer.from(hkdfSync("sha256", input, salt, "Content-Encoding: aes128gcm\0", 16))
  const nonce = Buffer.from(hkdfSync("sha256", input, salt, "Content-Encoding: nonce\0", 12))
  const decipher = createDecipheriv("aes-128-gcm", key, nonce)
  decipher.setAuthTag(record.subarray(-16))
  const padded = Buffer.concat([decipher.update(record.subarray(0, -16)), decipher.final()])
  const end = padded.findLastIndex((byte) => byte !== 0)
  if (padded[end] !== 2) throw new Error("the last record ends with 2")
  return padded.subarray(0, end).toString("utf8")
}

export const startPushService = async (): Promise<PushService> => {
  const faults: Array<string> = []
  let requests = 0
  const receivers = new Map<
    string,
    (request: IncomingMessage, body: Buffer) => { status: number; location?: string }
  >()
  const server = createServer((request, response) => {
    requests += 1
    void bodyOf(request).then((body) => {
      const receive = receivers.get(request.url ?? "")
      const { location, status } = receive === undefined ? { status: 404 } : receive(request, body)
      response.writeHead(status, { ...(location !== undefined && { location }) }).end()
    })
  })
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  const browser: PushService["browser"] = (key) => {
    const path = `/push/${randomBytes(16).toString("base64url")}`
    const own = createECDH("prime256v1")
    own.generateKeys()
    const secret = randomBytes(16)
    const pushed: Array<Pushed> = []
    const listeners = new Set<() => void>()
    let taken = 0
    let status = 201
    let location: string | undefined
    receivers.set(path, (request, body) => {
      const { headers, method } = request
      const problem = method !== "POST"
        ? `it is a ${method}`
        : headers["content-encoding"] !== "aes128gcm"
        ? `it is ${headers["content-encoding"]}`
        : !/^\d+$/.test(String(headers["ttl"]))
        ? "it has no TTL"
        : headers["topic"] !== undefined && !/^[A-Za-z0-9_-]{1,32}$/.test(String(headers["topic"]))
        ? "its topic is none"
        : problemOfVapid(headers.authorization, key, origin)
      if (problem !== undefined) {
        faults.push(problem)
        return { status: 400 }
      }
      if (status !== 201) return { status, ...(location !== undefined && { location }) }
      try {
        pushed.push({
          ttl: Number(headers["ttl"]),
          urgency: String(headers["urgency"]),
          topic: String(headers["topic"]),
          message: JSON.parse(opened(body, own, secret))
        })
      } catch (error) {
        faults.push(String(error))
      }
      for (const look of [...listeners]) look()
      return { status, location: `${origin}/message/${createHash("sha256").update(body).digest("hex")}` }
    })
    return {
      subscription: {
        endpoint: origin + path,
        keys: { p256dh: own.getPublicKey("base64url"), auth: secret.toString("base64url") }
      },
      pushed,
      next: () =>
        new Promise((resolve) => {
          const look = () => {
            const found = pushed[taken]
            if (found === undefined) return
            taken += 1
            listeners.delete(look)
            resolve(found)
          }
          listeners.add(look)
          look()
        }),
      answer: (next, where) => {
        status = next
        location = where
      }
    }
  }

  return {
    origin,
    faults,
    requests: () => requests,
    browser,
    end: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    }
  }
}

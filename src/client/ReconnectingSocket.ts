/**
 * ReconnectingSocket: a WebSocket that reconnects. It sends the handshake, notices a dead peer, and reconnects after growing,
 * randomized pauses, until `stop` or a refusal.
 */

/** The part of a WebSocket used here; the browser's, Node's and that of `ws` have it. */
export interface Socket {
  send: (data: string) => void
  close: (code?: number, reason?: string) => void
  addEventListener: (
    type: "open" | "message" | "close" | "error",
    // Each engine has event classes of its own.
    // oxlint-disable-next-line no-explicit-any
    listener: (event: any) => void
  ) => void
}
export type SocketConstructor = new(url: string) => Socket

export interface Lost {
  /** Whether the relay never accepted this connection. */
  readonly unopened?: boolean
  /** The close code; 1006 when there was none. */
  readonly code: number
  readonly reason: string
  /** The error of `prepare`. */
  readonly cause?: unknown
}

export interface LinkOptions {
  readonly url: string
  readonly WebSocket: SocketConstructor
  /** Runs before each connection, for example to get a ticket. If it fails, so does the attempt. */
  readonly prepare?: () => Promise<void> | undefined
  /** Makes the first frame of each connection. */
  readonly handshake: () => object
  readonly onFrame: (frame: string) => void
  readonly onConnecting: () => void
  /** The connection was lost, for the `failures`th time since it last worked; `false` gives up. */
  readonly onLost: (lost: Lost, failures: number) => boolean
  readonly onWaiting: (lost: Lost, retry_ms: number) => void
}

export interface ReconnectingSocket {
  /** Sends on the current connection. */
  readonly send: (frame: object) => void
  /** The relay accepted us: it must answer promptly from now on, and the next pause is short again. */
  readonly greeted: () => void
  readonly stop: () => void
}

/** How long `prepare` may take, a relay to accept a connection, then to open the session (agents start slowly), in ms. */
const openMs = 10_000
const greetingMs = 120_000
/** Silence after which the relay is asked whether it is there, and how long it may take to say so, in ms. */
const quietMs = 20_000
const pongMs = 10_000
/** How long after an error the end of the connection may take to be told, in ms. */
const closeMs = 250
/** The first pause, and the longest, in ms. */
const firstPauseMs = 250
const longestPauseMs = 15_000

/** Between half and all of a pause that doubles, so that not everybody comes at once. */
export const pauseOf = (failures: number, random: number): number =>
  Math.round(Math.min(longestPauseMs, firstPauseMs * 2 ** (failures - 1)) * (0.5 + random / 2))

/** Browsers tell when the network comes and goes, and when a page is looked at again, perhaps after a night's sleep. */
const signs = ["online", "offline", "visibilitychange", "pageshow"] as const
type Listen = (type: typeof signs[number], listener: () => void) => void
const page: {
  addEventListener?: Listen
  removeEventListener?: Listen
} = globalThis as object

const nobody: Lost = { code: 1006, reason: "the relay is not answering" }
const broken = "the connection broke"
const unprepared = "the token or ticket could not be obtained"

export const open = (options: LinkOptions): ReconnectingSocket => {
  let socket: Socket | undefined
  let timer: ReturnType<typeof setTimeout> | undefined
  /** Something came since we last looked. */
  let heard = false
  let waiting = false
  /** The relay has accepted us, and is not being asked whether it is there. */
  let watching = false
  let stopped = false
  let failures = 0
  /** What an earlier attempt still says is of no interest. */
  let attempt = 0

  const after = (ms: number, act: () => void) => {
    clearTimeout(timer)
    timer = setTimeout(act, ms)
  }

  const send = (frame: object) => socket?.send(JSON.stringify(frame))

  const watch = (): void => {
    watching = true
    after(quietMs, () => {
      if (!heard) return probe()
      heard = false
      watch()
    })
  }

  const probe = () => {
    watching = false
    heard = false
    send({ type: "ping" })
    after(pongMs, () => heard ? watch() : lose(nobody))
  }

  const connect = () => {
    waiting = false
    options.onConnecting()
    if (stopped) return
    const mine = attempt
    const current = <Event>(act: (event: Event) => void) => (event: Event) => {
      if (attempt === mine) act(event)
    }
    const prepared = options.prepare?.()
    if (prepared === undefined) return dial(current)
    after(openMs, () => lose({ code: 1006, reason: unprepared }))
    prepared.then(
      current(() => dial(current)),
      current((cause: unknown) => {
        lose({ code: 1006, reason: cause instanceof Error ? cause.message : unprepared, cause })
      })
    )
  }

  const dial = (current: <Event>(act: (event: Event) => void) => (event: Event) => void) => {
    const mine = new options.WebSocket(options.url)
    let failure = ""
    let unopened = true
    socket = mine
    after(openMs, () => lose({ ...nobody, unopened }))
    mine.addEventListener(
      "open",
      current(() => {
        unopened = false
        after(greetingMs, () => lose(nobody))
        send(options.handshake())
      })
    )
    mine.addEventListener(
      "message",
      current(({ data }: { readonly data: unknown }) => {
        heard = true
        options.onFrame(String(data))
      })
    )
    mine.addEventListener(
      "error",
      current(({ message }: { readonly message?: unknown }) => {
        if (typeof message === "string") failure = message
        // Every error is followed by a close at once; but Node 22 says none when nobody answers.
        after(closeMs, () => lose({ code: 1006, reason: failure || broken, unopened }))
      })
    )
    mine.addEventListener(
      "close",
      current(({ code, reason }: Lost) => {
        lose({ code, reason: reason || failure || broken, unopened })
      })
    )
  }

  const lose = (lost: Lost) => {
    release()
    failures += 1
    if (!options.onLost(lost, failures)) return stop()
    const retry_ms = pauseOf(failures, Math.random())
    waiting = true
    after(retry_ms, connect)
    options.onWaiting(lost, retry_ms)
  }

  /** A connection may have died unnoticed: that is asked at once. */
  const look = () => {
    if (waiting) {
      clearTimeout(timer)
      connect()
    } else if (watching) probe()
  }

  /** A socket that is not open yet cannot be closed everywhere. */
  const release = () => {
    clearTimeout(timer)
    watching = false
    attempt += 1
    const old = socket
    socket = undefined
    try {
      old?.close(1000)
    } catch {
      // It was closed already.
    }
  }

  const stop = () => {
    stopped = true
    waiting = false
    for (const sign of signs) page.removeEventListener?.(sign, look)
    release()
  }

  for (const sign of signs) page.addEventListener?.(sign, look)
  connect()
  return {
    send,
    greeted: () => {
      failures = 0
      watch()
    },
    stop
  }
}

/**
 * client: a web page, as the tests play it: a real WebSocket that keeps every event and waits for facts.
 */
import { once } from "node:events"
import { WebSocket } from "ws"

export interface Event {
  readonly type: string
  readonly seq: number
  // Tests look at fields of many kinds of events.
  // oxlint-disable-next-line no-explicit-any
  readonly [field: string]: any
}

export interface Client {
  readonly events: ReadonlyArray<Event>
  readonly send: (command: object | string | Buffer) => void
  /** The first event that fits, already here or to come. `after` skips events up to that `seq`. */
  readonly waitFor: (
    what: string | ((event: Event) => boolean),
    options?: { after?: number; within?: number }
  ) => Promise<Event>
  readonly onEvent: (listener: (event: Event) => void) => void
  /** Send a prompt and wait for the turn's end; its events. */
  readonly turn: (text: string) => Promise<ReadonlyArray<Event>>
  /** Resolves to the close code. */
  readonly closed: Promise<number>
  readonly close: () => Promise<void>
  /** Break the connection without a word. */
  readonly drop: () => void
  readonly socket: WebSocket
}

const matches = (what: string | ((event: Event) => boolean)) =>
  typeof what === "string" ? (event: Event) => event.type === what : what

export const connect = async (
  url: string,
  handshake: object,
  /** `ca`: whose certificate the relay has. */
  options: { headers?: Record<string, string>; ca?: string } = {}
): Promise<Client> => {
  const socket = new WebSocket(url, options)
  const events: Array<Event> = []
  const listeners = new Set<() => void>()
  socket.on("message", (data) => {
    events.push(JSON.parse(String(data)) as Event)
    for (const look of [...listeners]) look()
  })
  const closed = new Promise<number>((resolve) =>
    socket.once("close", (code) => {
      resolve(code)
      for (const look of [...listeners]) look()
    })
  )
  await once(socket, "open")

  const send: Client["send"] = (command) =>
    socket.send(typeof command === "string" || Buffer.isBuffer(command) ? command : JSON.stringify(command))

  const waitFor: Client["waitFor"] = (what, { after = -1, within = 40_000 } = {}) =>
    new Promise((resolve, reject) => {
      const fits = matches(what)
      const finish = (act: () => void) => {
        listeners.delete(look)
        clearTimeout(timer)
        act()
      }
      const look = () => {
        const found = events.find((event) => event.seq > after && fits(event))
        if (found !== undefined) return finish(() => resolve(found))
        if (socket.readyState === WebSocket.CLOSED) {
          finish(() => reject(missing("before the connection closed")))
        }
      }
      const missing = (when: string) => {
        const seen = events.map(({ code, seq, status, text, type }) =>
          [seq, type, status ?? code, text?.slice(0, 80)].join(" ")
        ).join("\n")
        return new Error(`no event ${String(what)} after ${after} came ${when}. Came:\n${seen}`)
      }
      const timer = setTimeout(() => finish(() => reject(missing(`within ${within} ms`))), within)
      listeners.add(look)
      look()
    })

  const turn: Client["turn"] = async (text) => {
    const after = events.at(-1)?.seq ?? 0
    send({ text })
    const end = await waitFor("turn_end", { after })
    return events.filter(({ seq }) => seq > after && seq <= end.seq)
  }

  send(handshake)
  return {
    events,
    send,
    waitFor,
    onEvent: (listener) => void socket.on("message", (data) => listener(JSON.parse(String(data)) as Event)),
    turn,
    closed,
    close: async () => {
      socket.close()
      await closed
    },
    drop: () => socket.terminate(),
    socket
  }
}

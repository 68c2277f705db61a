/**
 * AcpViewer: an ACP agent process that only lists past conversations and reads their history. It never gets a
 * prompt.
 */
import { Clock, Effect, FiberSet, Option, Predicate, Semaphore } from "effect"
import type { BodyOf, EventBody } from "../../schema/index.js"
import { deafSink, EventSink, ProcessSpawner } from "../Adapter.js"
import type { NativeRecord } from "../native/NativeStore.js"
import { secondsOf, toTitle } from "../native/readLines.js"
import * as JsonRpcPeer from "../wire/JsonRpcPeer.js"
import type { AcpAgent } from "./AcpAgent.js"
import { toLaunch } from "./AcpLaunch.js"
import type { Initialized } from "./AcpSetup.js"
import * as AgentUpdates from "./AgentUpdates.js"
import { listPages } from "./listPages.js"
import { clientCapabilities, clientInfo, protocolVersion, readInitialized } from "./openConversation.js"
import { makeState } from "./translate.js"

/** A conversation as listed by its agent. */
export interface AcpListed {
  readonly id: string
  readonly folder: string
  readonly title?: string
  /** Seconds since 1970. */
  readonly updated_at: number
}

const initializeWithin = "45 seconds"
const loadWithin = "90 seconds"
/** Of longer histories only the end is reported; in bytes of the agent's lines. */
const mostBytes = 64 * 1024 * 1024

const told: ReadonlySet<EventBody["type"]> = new Set(
  ["user_message", "assistant_message", "reasoning", "tool_call", "tool_result", "file_diff"] as const
)

/** Each prompt begins a turn. */
const toRecord = (event: EventBody, place: number, ts: number): NativeRecord => {
  if (event.type !== "user_message") return { key: String(place), ts, read: () => ({ events: [event] }) }
  const prompt = event.text ?? ""
  const start: BodyOf<"turn_start"> = { type: "turn_start", text: prompt }
  return { key: String(place), ts, prompt, read: () => ({ events: [start, event] }) }
}

export const open = Effect.fnUntraced(function*(agent: AcpAgent, cwd: string) {
  const { spawn } = yield* ProcessSpawner
  const clock = yield* Clock.Clock
  const fork = yield* FiberSet.makeRuntime<never>()
  let heard: ((params: unknown, line: Buffer) => void) | undefined
  // It starts in the home folder, where a plugin that a sandboxed agent has left could write otherwise.
  const launch = { ...toLaunch(agent, { tool: agent.tool, folder: cwd, fresh_uuid: "" }), only_reads: true }
  const peer = yield* JsonRpcPeer.open(
    (onLine) => Effect.provideService(spawn(launch, onLine), EventSink, deafSink),
    {
      tool: agent.name,
      jsonrpc: true,
      // Requests are not expected: no tool runs.
      onRequest: () => undefined,
      onOther: () => {},
      onNotification: ({ method, params }, line) => {
        if (method === "session/update") heard?.(params, line)
      }
    }
  )
  const answer = yield* peer.request(
    "initialize",
    { protocolVersion, clientInfo, clientCapabilities },
    { within: initializeWithin }
  )
  const { agentCapabilities = {}, authMethods = [] } = Option.getOrElse(
    readInitialized(answer),
    (): Initialized => ({})
  )
  if (authMethods.some(({ id }) => id === agent.authenticate)) {
    yield* peer.request("authenticate", { methodId: agent.authenticate }, { within: initializeWithin })
  }
  const turnstile = yield* Semaphore.make(1)

  const list = (folder?: string) =>
    Effect.map(
      listPages(peer, folder),
      (sessions) =>
        sessions.flatMap(({ cwd, sessionId, title, updatedAt }): ReadonlyArray<AcpListed> => {
          if (cwd === undefined) return []
          const name = title === undefined ? "" : toTitle(title)
          return [{
            id: sessionId,
            folder: cwd,
            ...(name !== "" && { title: name }),
            updated_at: secondsOf(updatedAt) ?? 0
          }]
        })
    )

  const load = Effect.fnUntraced(function*({ folder, id, updated_at }: AcpListed) {
    let events: Array<{ readonly event: EventBody; readonly bytes: number }> = []
    let bytes = 0
    let complete = true
    let size = 0
    const state = makeState(agent)
    state.sessionId = id
    const updates = AgentUpdates.make({
      clock,
      fork,
      state,
      sink: {
        ...deafSink,
        // Always in a turn, so text is emitted without a wait.
        inTurn: () => true,
        emit: (event) => {
          if (!told.has(event.type)) return
          events.push({ event, bytes: size })
          bytes += size
          size = 0
          if (bytes <= mostBytes) return
          complete = false
          const kept = events.slice(Math.ceil(events.length / 2))
          bytes = kept.reduce((sum, { bytes }) => sum + bytes, 0)
          events = kept
        }
      }
    })
    heard = (params, line) => {
      size += line.length
      updates.receive(params, line)
    }
    yield* peer.request("session/load", { sessionId: id, cwd: folder, mcpServers: [] }, {
      within: loadWithin
    }).pipe(
      Effect.ensuring(Effect.sync(() => void (heard = undefined)))
    )
    updates.endSpeech()
    updates.endTurn(true)
    const records = events.map(({ event }, place) => toRecord(event, place, updated_at))
    return { records, complete, undated: true }
  })

  const { loadSession, sessionCapabilities } = agentCapabilities
  return {
    /** The agent can list its conversations. */
    lists: Predicate.isNotUndefined(sessionCapabilities?.list),
    /** The agent can load a conversation's history. */
    loads: loadSession === true,
    list: (folder?: string) => turnstile.withPermits(1)(list(folder)),
    load: (listed: AcpListed) => turnstile.withPermits(1)(load(listed))
  }
})

export type AcpViewer = Effect.Success<ReturnType<typeof open>>

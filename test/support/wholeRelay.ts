/** wholeRelay: a relay without sockets, over a fake agent, with all that keeps its sessions and gives them prompts later. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import { Clock, Effect, Layer, Schema, Stream } from "effect"
import { AdapterRegistry } from "../../src/adapters/AdapterRegistry.js"
import {
  type BodyOf,
  type ClientCommand,
  type EventType,
  Handshake,
  type RelayEvent
} from "../../src/schema/index.js"
import { Folders } from "../../src/services/access/Folders.js"
import { BudgetBook } from "../../src/services/budget/BudgetBook.js"
import { IdGenerator } from "../../src/services/IdGenerator.js"
import { Journal } from "../../src/services/journal/Journal.js"
import { NativeSessions } from "../../src/services/native/NativeSessions.js"
import { Recorder } from "../../src/services/observe/Recorder.js"
import { RelayConfig, type Settings } from "../../src/services/RelayConfig.js"
import { Scheduler } from "../../src/services/schedule/Scheduler.js"
import { Timetable } from "../../src/services/schedule/Timetable.js"
import { Sender } from "../../src/services/session/Sender.js"
import type { Session } from "../../src/services/session/Session.js"
import { SessionRegistry } from "../../src/services/session/SessionRegistry.js"
import type * as FakeAdapter from "./fakeAdapter.js"

/** A whole relay without sockets, over a fake agent. */
export const relayOf = (fake: FakeAdapter.FakeAdapter, settings: Partial<Settings>) =>
  Scheduler.layer.pipe(
    Layer.provideMerge(SessionRegistry.layer),
    Layer.provide(AdapterRegistry.layer(Effect.succeed([fake.adapter]))),
    Layer.provide(Layer.mergeAll(Folders.layer, NativeSessions.layerNone, Recorder.layer)),
    Layer.provideMerge(Layer.mergeAll(Journal.layer, Timetable.layer, BudgetBook.layer)),
    Layer.provide(IdGenerator.layerTest),
    Layer.provide(RelayConfig.layer(settings)),
    Layer.provide(Layer.merge(NodeFileSystem.layer, NodePath.layer))
  )

export const opening = (fields: object = {}) =>
  Effect.flatMap(
    SessionRegistry,
    (registry) =>
      registry.join(
        Schema.decodeUnknownSync(Handshake)({ tool: "fake", session_id: "s", on_limit: "resume", ...fields })
      )
  )

export const until = <Type extends EventType>(
  { log }: Session,
  type: Type,
  fits: (event: BodyOf<Type>) => boolean = () => true,
  from = 0
) =>
  log.tail(from).pipe(
    Stream.filter((event): event is RelayEvent & BodyOf<Type> => event.type === type && fits(event as never)),
    Stream.runHead,
    Effect.flatMap(Effect.fromOption)
  )
export const status = (session: Session, name: string, from = 0) =>
  until(session, "status", ({ status }) => status === name, from)
export const all = ({ log }: Session) =>
  Stream.runCollect(Stream.takeUntil(log.tail(0), ({ seq }) => seq === log.lastSeq()))

export const prompt = (session: Session, text: string, more: object = {}, by: Sender.Fields = {}) =>
  Effect.provideService(
    session.submit({
      type: "user_message",
      content: [{ type: "text", text }],
      message_id: text,
      ...more
    } as ClientCommand),
    Sender,
    by
  )

export const seconds = Effect.map(Clock.currentTimeMillis, (ms) => ms / 1000)
/** What the agent was prompted with. */
export const prompts = (fake: FakeAdapter.FakeAdapter) =>
  fake.agents.flatMap(({ sent }) => sent).flatMap((command) =>
    command.type === "user_message"
      ? command.content.map((block) => block.type === "text" ? block.text : "")
      : []
  )

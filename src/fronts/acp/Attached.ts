/**
 * Attached: a session this client works in, and its modes, models and options.
 */
import { Deferred, Effect, type Scope } from "effect"
import { doneSoon } from "../../adapters/doneSoon.js"
import type { JsonRpcError, JsonRpcId } from "../../adapters/wire/JsonRpc.js"
import type { Handshake } from "../../schema/index.js"
import type { AskOp, Choice, Op, SessionOp } from "../Op.js"
import type * as project from "../project.js"
import type { PortSession } from "../SessionPort.js"
import type * as Encoder from "./encode.js"

export interface Prompt {
  readonly rpcId: JsonRpcId
  readonly done: Deferred.Deferred<object, JsonRpcError>
  turn: number | undefined
  isQueued: boolean
  /** Delivered, but its turn has not been reported yet. */
  isSent: boolean
  isCancelled: boolean
}

export interface Attached {
  readonly id: string
  readonly session: PortSession
  readonly scope: Scope.Closeable
  readonly projector: project.Projector
  readonly encoder: Encoder.Encoder
  readonly handshake: Handshake
  /** Updates waiting for the answer that names the session. */
  held: Array<() => void> | undefined
  readonly prompts: Map<string, Prompt>
  readonly commands: Map<string, Deferred.Deferred<void, JsonRpcError>>
  /** Our request for each request of the agent. */
  readonly asked: Map<string, number>
  /** The person's answers that the relay has not taken yet, by `message_id`, and how often each request was answered. */
  readonly answers: Map<string, AskOp>
  readonly tries: Map<string, number>
  settings: { modes: ReadonlyArray<string>; mode?: string; models: ReadonlyArray<Choice>; model?: string }
  can: Pick<SessionOp, "images" | "set_model">
  /** Completes when its models are known or nothing more can be learned about them. */
  readonly settled: Deferred.Deferred<void>
  /** Completes when it has ended or cannot be followed any more. */
  readonly over: Deferred.Deferred<void>
  /** Why it has ended, if somebody ended it. */
  why: string
  isStopping: boolean
}

export const isOver = ({ over }: Attached): boolean => Deferred.isDoneUnsafe(over)

const modesOf = ({ settings: { mode, modes } }: Attached) => {
  const [first] = modes
  if (first === undefined) return undefined
  const currentModeId = mode ?? (modes.includes("default") ? "default" : first)
  return { currentModeId, availableModes: modes.map((id) => ({ id, name: id })) }
}

export const configOptionsOf = (entry: Attached): ReadonlyArray<object> => {
  const { can, settings: { model, models } } = entry
  const modes = modesOf(entry)
  const known = model === undefined || models.some(({ id }) => id === model)
    ? models
    : [{ id: model, name: model, description: "" }, ...models]
  const [first] = known
  return [
    ...(modes === undefined ? [] : [{
      type: "select",
      id: "mode",
      name: "Mode",
      category: "mode",
      currentValue: modes.currentModeId,
      options: modes.availableModes.map(({ id, name }) => ({ value: id, name }))
    }]),
    ...(!can.set_model || first === undefined ? [] : [{
      type: "select",
      id: "model",
      name: "Model",
      category: "model",
      currentValue: model ?? first.id,
      options: known.map(({ description, id, name }) => ({
        value: id,
        name,
        ...(description !== "" && { description })
      }))
    }])
  ]
}

export const settingsOf = (entry: Attached) => {
  const modes = modesOf(entry)
  const { can, settings: { model, models } } = entry
  return {
    ...(modes !== undefined && { modes }),
    // The only way for older editors to learn the models.
    ...(can.set_model && models.length > 0 && {
      models: {
        currentModelId: model ?? models[0]?.id,
        availableModels: models.map(({ description, id, name }) => ({ modelId: id, name, description }))
      }
    }),
    configOptions: configOptionsOf(entry)
  }
}

export const learn = (entry: Attached, op: Op) => {
  const { settings } = entry
  if (op.type === "session") {
    entry.can = op
    entry.settings = { ...settings, modes: op.modes }
  }
  if (op.type === "mode") entry.settings = { ...settings, mode: op.mode }
  if (op.type === "model") {
    entry.settings = {
      ...settings,
      ...(op.model !== undefined && { model: op.model }),
      ...(op.models !== undefined && { models: op.models })
    }
  }
  if ((op.type === "session" || op.type === "model") && hasChoices(entry)) {
    doneSoon(entry.settled, Effect.void)
  }
}

const hasChoices = ({ can, settings: { models } }: Attached) => !can.set_model || models.length > 0

export const metaOf = ({ projector, session }: Attached, last_seq = session.last_seq) => ({
  "ai-relay": {
    tool: session.start.metadata?.["tool"],
    last_seq,
    turn_active: projector.turn() !== undefined
  }
})

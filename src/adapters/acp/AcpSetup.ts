/**
 * AcpSetup: what an Agent Client Protocol v1 agent reports about itself and about a session it opens.
 */
import { Schema } from "effect"
import { flag, items, number, optional, text } from "../wire/lenient.js"
import { ConfigOption } from "./AcpMessage.js"

/** A capability that is present when it is an object. */
const present = optional(Schema.Unknown)

/** The answer to `initialize`. */
export const Initialized = Schema.Struct({
  protocolVersion: number,
  agentCapabilities: optional(Schema.Struct({
    loadSession: flag,
    mcpCapabilities: optional(Schema.Struct({ http: flag, sse: flag })),
    promptCapabilities: optional(Schema.Struct({ image: flag, audio: flag, embeddedContext: flag })),
    sessionCapabilities: optional(Schema.Struct({ resume: present, list: present, close: present }))
  })),
  authMethods: optional(items(Schema.Struct({ id: Schema.String, name: text, description: text }))),
  agentInfo: optional(Schema.Struct({ name: text, title: text, version: text }))
})
export type Initialized = typeof Initialized.Type

export const Modes = Schema.Struct({
  currentModeId: text,
  availableModes: items(Schema.Struct({ id: Schema.String, name: text, description: text }))
})
export type Modes = typeof Modes.Type

/** Models of older agents; newer ones have a config option of category `model`. */
export const Models = Schema.Struct({
  currentModelId: text,
  availableModels: items(Schema.Struct({ modelId: Schema.String, name: text, description: text }))
})
export type Models = typeof Models.Type

/** The answer to `session/new`, `session/load` and `session/resume`; only the first names the session. */
export const Opened = Schema.Struct({
  sessionId: text,
  modes: optional(Modes),
  models: optional(Models),
  configOptions: optional(items(ConfigOption))
})
export type Opened = typeof Opened.Type

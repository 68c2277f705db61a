/**
 * settings: a session's properties and capabilities; each event replaces what was known.
 */
import type { RelayEvent } from "../schema/index.js"
import type { Op } from "./Op.js"
import { choices, number, type Open, open, slashCommands, text, texts } from "./read.js"

type Started = Extract<RelayEvent, { readonly type: "session_start" }>

export interface Settings {
  readonly started: (event: Started) => void
  /** An event's `metadata`. */
  readonly told: (metadata: Open) => void
  readonly context: (told: Open) => void
  /** A turn's cost in US dollars. */
  readonly paid: (cost_usd: number) => void
}

export const make = (push: (op: Op) => void, cost_usd: number): Settings => {
  let cost = cost_usd
  let model: string | undefined
  let mode: string | undefined

  const context = (told: Open) => {
    const used = number(told["context_tokens"])
    const size = number(told["context_window"])
    const pct = number(told["context_pct"])
    if (used === undefined && size === undefined && pct === undefined) return
    push({
      type: "context",
      cost_usd: cost,
      ...(used !== undefined && { used }),
      ...(size !== undefined && { size }),
      ...(pct !== undefined && { pct })
    })
  }

  /** Reported values replace known ones. */
  const told = (metadata: Open) => {
    const newModel = text(metadata["model"])
    const models = Array.isArray(metadata["models"]) ? choices(metadata["models"]) : undefined
    if (models !== undefined || (newModel !== undefined && newModel !== model)) {
      model = newModel ?? model
      push({
        type: "model",
        ...(model !== undefined && { model }),
        ...(models !== undefined && { models })
      })
    }
    const newMode = text(metadata["permission_mode"])
    if (newMode !== undefined && newMode !== mode) push({ type: "mode", mode: mode = newMode })
    if (Array.isArray(metadata["commands"])) {
      push({ type: "commands", commands: slashCommands(metadata["commands"]) })
    }
    context(metadata)
  }

  const started = ({ metadata = {}, seq }: Started) => {
    const can = open(metadata["capabilities"])
    const tool = text(metadata["tool"])
    const folder = text(metadata["folder"])
    push({
      type: "session",
      modes: texts(can["permission_modes"]),
      images: can["images"] === true,
      steer: can["steer"] === true,
      set_model: can["set_model"] === true,
      terminal: can["terminal"] === true,
      // A client that attaches gets the session's current position; a start is an event of its own after
      // that.
      attached: seq <= (number(metadata["last_seq"]) ?? -1),
      ...(tool !== undefined && { tool }),
      ...(folder !== undefined && { folder })
    })
    told(metadata)
  }

  return { started, told, context, paid: (cost_usd) => void (cost += cost_usd) }
}

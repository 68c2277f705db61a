/**
 * choices: the modes and models a session offers, and how to choose each.
 *
 * Agents report them as config options of category `mode` and `model`, as lists of modes and models, or both.
 * Modes come from their list first, models from their option, because a list of models is the older form.
 */
import { Option, Schema } from "effect"
import type { AcpAgent } from "./AcpAgent.js"
import type { ConfigOption } from "./AcpMessage.js"
import { type Modes, Opened } from "./AcpSetup.js"

const readOpened = Schema.decodeUnknownOption(Opened)

export interface Choice {
  readonly id: string
  readonly name: string
  readonly description?: string
}

/** A request that makes a choice; the sender adds the session id. */
export interface ChoiceRequest {
  readonly method: string
  readonly params: Readonly<Record<string, unknown>>
}

interface Setting {
  readonly current: string | undefined
  readonly offered: ReadonlyArray<Choice>
  readonly choose: (id: string) => ChoiceRequest
}

export interface Choices {
  readonly mode: () => Setting | undefined
  readonly model: () => Setting | undefined
  /** The agent's own mode names, then their aliases. */
  readonly modeNames: () => ReadonlyArray<string>
  /** Whether this mode, by the agent's name, is allowed. */
  readonly isAllowed: (id: string) => boolean
  /** The agent's own name for a mode. */
  readonly toMode: (name: string) => string
  /** The agent's own name for a model; a title is accepted too. */
  readonly toModel: (name: string) => string
  /** All session settings with the agent's names: lists to choose from and switches (`boolean`). */
  readonly options: () => ReadonlyArray<ConfigOption>
  readonly opened: (session: Opened) => void
  readonly configured: (options: ReadonlyArray<ConfigOption>) => void
  /** A choice was made; the agent may answer with all its current options. */
  readonly chosen: (answer: unknown) => void
  readonly nowInMode: (id: string) => void
  readonly nowOnModel: (id: string) => void
}

const toChoice = (
  id: string,
  { description, name }: { readonly name?: string; readonly description?: string }
): Choice => ({ id, name: name ?? id, ...(description !== undefined && { description }) })

const valuesOf = ({ options = [] }: ConfigOption): ReadonlyArray<Choice> =>
  options
    .flatMap((entry) => entry.options ?? [entry])
    .flatMap((entry) => entry.value === undefined ? [] : [toChoice(entry.value, entry)])

const settingOf = (options: ReadonlyArray<ConfigOption>, category: string): Setting | undefined => {
  const option = options.find((option) => option.category === category && option.type !== "boolean")
  return option && {
    current: typeof option.currentValue === "string" ? option.currentValue : undefined,
    offered: valuesOf(option),
    choose: (value) => ({ method: "session/set_config_option", params: { configId: option.id, value } })
  }
}

/** Some agents (pi) offer thinking levels as modes and again as an option that identifies them as such. */
const areModes = (modes: Modes, options: ReadonlyArray<ConfigOption>): boolean => {
  const ids = modes.availableModes.map(({ id }) => id).join()
  return !options.some((option) =>
    option.category !== "mode" && valuesOf(option).map(({ id }) => id).join() === ids
  )
}

/** All current settings, if the agent's answer contains them. */
export const configOptionsOf = (answer: unknown): ReadonlyArray<ConfigOption> | undefined =>
  Option.getOrElse(readOpened(answer), (): Opened => ({})).configOptions

/** `allowed` lists the modes the operator allows, by any of their names; undefined means all. */
export const makeChoices = (
  { modeNames = {} }: AcpAgent,
  allowed?: ReadonlyArray<string>
): Choices => {
  let session: Opened = {}
  let mode: string | undefined
  let model: string | undefined

  const modeSetting = (): Setting | undefined => {
    const { configOptions = [], modes } = session
    if (modes === undefined || !areModes(modes, configOptions)) {
      const setting = settingOf(configOptions, "mode")
      return setting && {
        ...setting,
        offered: setting.offered.filter(({ id }) => isAllowed(id)),
        current: mode ?? setting.current
      }
    }
    return {
      current: mode ?? modes.currentModeId,
      offered: modes.availableModes.map((mode) => toChoice(mode.id, mode)).filter(({ id }) => isAllowed(id)),
      choose: (modeId) => ({ method: "session/set_mode", params: { modeId } })
    }
  }

  const modelSetting = (): Setting | undefined => {
    const { configOptions = [], models } = session
    const setting = settingOf(configOptions, "model")
    if (setting !== undefined || models === undefined) {
      return setting && { ...setting, current: model ?? setting.current }
    }
    return {
      current: model ?? models.currentModelId,
      offered: models.availableModels.map((model) => toChoice(model.modelId, model)),
      choose: (modelId) => ({ method: "session/set_model", params: { modelId } })
    }
  }

  const configured: Choices["configured"] = (configOptions) => {
    session = { ...session, configOptions }
    mode = settingOf(configOptions, "mode")?.current ?? mode
    model = undefined
  }

  const isAllowed = (id: string) =>
    allowed === undefined
    || allowed.includes(id)
    || Object.entries(modeNames).some(([name, own]) => own === id && allowed.includes(name))

  const ownModes = () => modeSetting()?.offered.map(({ id }) => id).filter(isAllowed) ?? []

  return {
    mode: modeSetting,
    model: modelSetting,
    modeNames: () => {
      const own = ownModes()
      const others = Object.entries(modeNames).flatMap(([name, id]) =>
        own.includes(id) && !own.includes(name) ? [name] : []
      )
      return [...own, ...others]
    },
    isAllowed,
    toMode: (name) => ownModes().includes(name) ? name : modeNames[name] ?? name,
    toModel: (name) => {
      const offered = modelSetting()?.offered ?? []
      const named = offered.find((choice) => choice.name.toLowerCase() === name.toLowerCase())
      return offered.some(({ id }) => id === name) ? name : named?.id ?? name
    },
    options: () => session.configOptions ?? [],
    opened: (opened) => {
      session = opened
    },
    configured,
    chosen: (answer) => {
      const configOptions = configOptionsOf(answer)
      if (configOptions !== undefined) configured(configOptions)
    },
    nowInMode: (id) => {
      mode = id
    },
    nowOnModel: (id) => {
      model = id
    }
  }
}

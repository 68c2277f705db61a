/** commands: what the palette offers; what is on show adds its own. */
import { createContext, useContext, useEffect } from "react"

export interface Command {
  readonly id: string
  readonly name: string
  /** Where it belongs, or what it is beside its name. */
  readonly about?: string
  /** Keys that do the same. */
  readonly keys?: string
  readonly run: () => void
}

/** Offers commands as long as it is not called back. */
export type Offer = (commands: ReadonlyArray<Command>) => () => void

export const Commands = createContext<Offer>(() => () => {})

/** The list must stay the same as long as nothing in it changes. */
export const useCommands = (commands: ReadonlyArray<Command>) => {
  const offer = useContext(Commands)
  useEffect(() => offer(commands), [commands, offer])
}

const most = 50

/** All words are in it; those that begin it come first. */
export const matching = (commands: ReadonlyArray<Command>, query: string): ReadonlyArray<Command> => {
  const wanted = query.toLowerCase().split(/\s+/).filter((word) => word !== "")
  const text = ({ about = "", name }: Command) => `${name} ${about}`.toLowerCase()
  const rank = (command: Command) => wanted.length > 0 && text(command).startsWith(wanted[0] ?? "") ? 0 : 1
  return commands
    .filter((command) => wanted.every((word) => text(command).includes(word)))
    .toSorted((left, right) => rank(left) - rank(right))
    .slice(0, most)
}

/**
 * commands: the palette's commands; the current view adds its own.
 */
import { createContext, useContext, useEffect } from "react"

export interface Command {
  readonly id: string
  readonly name: string
  /** Its group, or a note next to its name. */
  readonly about?: string
  /** Its keyboard shortcut. */
  readonly keys?: string
  readonly run: () => void
}

/** Offers commands until the returned function is called. */
export type Offer = (commands: ReadonlyArray<Command>) => () => void

export const Commands = createContext<Offer>(() => () => {})

/** The list must keep its identity as long as nothing in it changes. */
export const useCommands = (commands: ReadonlyArray<Command>) => {
  const offer = useContext(Commands)
  useEffect(() => offer(commands), [commands, offer])
}

const most = 50

/** Matches contain all words; those that begin with them come first. */
export const matching = (commands: ReadonlyArray<Command>, query: string): ReadonlyArray<Command> => {
  const wanted = query.toLowerCase().split(/\s+/).filter((word) => word !== "")
  const text = ({ about = "", name }: Command) => `${name} ${about}`.toLowerCase()
  const rank = (command: Command) => wanted.length > 0 && text(command).startsWith(wanted[0] ?? "") ? 0 : 1
  return commands
    .filter((command) => wanted.every((word) => text(command).includes(word)))
    .toSorted((left, right) => rank(left) - rank(right))
    .slice(0, most)
}

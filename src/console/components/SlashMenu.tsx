/**
 * SlashMenu: the agent's commands that begin with the typed text.
 */
import { useEffect, useRef } from "react"
import type { SlashCommand } from "../../messages/View.js"
import { w } from "../words/words.js"

const most = 50

export const matching = (
  commands: ReadonlyArray<SlashCommand>,
  text: string
): ReadonlyArray<SlashCommand> => {
  const typed = /^\/(\S*)$/.exec(text)?.[1]?.toLowerCase()
  return typed === undefined
    ? []
    : commands.filter(({ name }) => name.toLowerCase().startsWith(typed)).slice(0, most)
}

interface Props {
  readonly commands: ReadonlyArray<SlashCommand>
  readonly marked: number
  readonly onChoose: (name: string) => void
}

export const SlashMenu = ({ commands, marked, onChoose }: Props) => {
  const list = useRef<HTMLUListElement>(null)
  useEffect(() => {
    list.current?.children[marked]?.scrollIntoView({ block: "nearest" })
  }, [marked])
  return (
    <ul className="slash-menu" id="slash-menu" role="listbox" aria-label={w.commands} ref={list}>
      {commands.map(({ argumentHint, description, name }, index) => (
        <li
          key={name}
          id={`slash-${index}`}
          role="option"
          aria-selected={index === marked}
          onPointerDown={(event) => {
            event.preventDefault()
            onChoose(name)
          }}
        >
          <span className="slash-name">
            /{name} <em>{argumentHint}</em>
          </span>
          <span className="slash-text">{description}</span>
        </li>
      ))}
    </ul>
  )
}

/**
 * steeredPrompts: which prompts that were handed to a running turn Claude has read.
 *
 * One that comes too late for its turn is answered in the next, which Claude begins by itself; several together in one.
 * Claude repeats a prompt (`isReplay`) when it has read it; of several it joined, only the last.
 */
import type { BodyOf } from "../../schema/index.js"

interface Steered {
  readonly uuid: string
  readonly text: string
  readonly message_id: string | undefined
}

export type SteeredPrompts = ReturnType<typeof makeSteeredPrompts>

export const makeSteeredPrompts = () => {
  let unread: ReadonlyArray<Steered> = []
  /** This Claude repeats prompts: without that nobody knows what it has read. */
  let repeats = false

  return {
    hand: (prompt: Steered): void => {
      unread = [...unread, prompt]
    },
    /** A prompt could not be handed over. */
    takeBack: (uuid: string): void => {
      unread = unread.filter((prompt) => prompt.uuid !== uuid)
    },
    /** Claude has repeated a prompt; those before it were read with it. */
    read: (uuid: string, isOwn: boolean): void => {
      repeats ||= isOwn
      const index = unread.findIndex((prompt) => prompt.uuid === uuid)
      if (index === -1) return
      repeats = true
      unread = unread.slice(index + 1)
    },
    /** Nobody waits for an answer to these any more. */
    forget: (): void => {
      unread = []
    },
    /** The turn that answers what is unread, which begins now; undefined if there is none. */
    next: (): BodyOf<"turn_start"> | undefined => {
      const late = repeats ? unread : []
      if (late.length === 0) return undefined
      const [message_id, ...others] = late.flatMap((prompt) => prompt.message_id ?? [])
      return {
        type: "turn_start",
        text: late.map(({ text }) => text).join("\n"),
        ...(message_id !== undefined && { message_id }),
        ...(message_id !== undefined && others.length > 0 &&
          { metadata: { message_ids: [message_id, ...others] } })
      }
    }
  }
}

/**
 * steeredPrompts: which prompts sent to a running turn Claude has read.
 *
 * A prompt that arrives too late for its turn is answered in the next one, which Claude begins on its own;
 * several are answered together. Claude echoes a prompt (`isReplay`) once it has read it; of several joined
 * prompts it echoes only the last.
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
  /** Whether this Claude echoes prompts; otherwise nobody knows what it has read. */
  let repeats = false

  return {
    hand: (prompt: Steered): void => {
      unread = [...unread, prompt]
    },
    /** A prompt could not be delivered. */
    takeBack: (uuid: string): void => {
      unread = unread.filter((prompt) => prompt.uuid !== uuid)
    },
    /** Claude echoed a prompt; earlier prompts were read with it. */
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
    /** The turn that begins now to answer unread prompts; undefined if there are none. */
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

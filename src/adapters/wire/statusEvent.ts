/**
 * statusEvent: builds a `status` event for agent states that have no event of their own; absent parts are
 * left out.
 */
import type { BodyOf } from "../../schema/index.js"

export const status = (
  name: string,
  text?: string,
  metadata?: Readonly<Record<string, unknown>>
): BodyOf<"status"> => ({
  type: "status",
  status: name,
  ...(text !== undefined && { text }),
  ...(metadata !== undefined && { metadata })
})

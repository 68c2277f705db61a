/** statusEvent: what is said of an agent's state, for which no other event is made; absent parts are left out. */
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

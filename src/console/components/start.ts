/** start: opens a session of a new name, and goes there. */
import type { Handshake } from "../../client/browser.js"
import { goTo } from "../relay/address.js"
import { rememberHandshake } from "../relay/kept.js"

const newName = (tool: string) =>
  `${tool}-${
    [...crypto.getRandomValues(new Uint8Array(5))].map((byte) => byte.toString(36).padStart(2, "0")).join("")
  }`

export const start = (handshake: Handshake) => {
  const session_id = newName(handshake.tool ?? "claude")
  rememberHandshake(session_id, handshake)
  goTo(session_id)
}

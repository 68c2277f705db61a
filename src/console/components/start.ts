/**
 * start: opens a session with a new name, with a first prompt if given, and navigates to it.
 */
import type { Handshake } from "../../client/browser.js"
import { goTo } from "../relay/address.js"
import { keepUnsent, rememberHandshake } from "../relay/kept.js"

const newName = (tool: string) =>
  `${tool}-${
    [...crypto.getRandomValues(new Uint8Array(5))].map((byte) => byte.toString(36).padStart(2, "0")).join("")
  }`

export const start = (handshake: Handshake, prompt?: string) => {
  const session_id = newName(handshake.tool ?? "claude")
  rememberHandshake(session_id, handshake)
  // It is sent once the session is open.
  if (prompt !== undefined) {
    keepUnsent(session_id, { message_id: newName("prompt"), content: prompt, when: "queue" })
  }
  goTo(session_id)
}

/** ai-relay/client in Node: the same, with the WebSocket of `ws` if there is no global one (Node 20). */
import { WebSocket as Ws } from "ws"
import * as browser from "./browser.js"

export * from "./browser.js"

export const connect: typeof browser.connect = (options = {}) =>
  browser.connect("WebSocket" in globalThis ? options : { WebSocket: Ws, ...options })

export const watchSessions: typeof browser.watchSessions = (options) =>
  browser.watchSessions("WebSocket" in globalThis ? options : { WebSocket: Ws, ...options })

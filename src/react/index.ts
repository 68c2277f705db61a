/**
 * ai-relay/react: a session as a React hook, and a chat that looks like the console. `react` and `react-dom`
 * are peer dependencies.
 */
export { Chat, type ChatProps } from "./Chat.js"
export { type SessionHook, type SessionOptions, type SessionStatus, useSession } from "./useSession.js"

/** ai-relay: the public API for embedding. `Relay.layer` is the whole server, `Relay.layerSessions` only the sessions. */
export type { OwnAgent } from "./adapters/acp/AcpAgent.js"
export * from "./adapters/Adapter.js"
export * from "./adapters/AdapterError.js"
export { AdapterRegistry, UnknownTool } from "./adapters/AdapterRegistry.js"
export { type AdapterLayer, type AdapterPorts, AgentAdapter } from "./adapters/AgentDescriptor.js"
export * as Relay from "./embed.js"
export * from "./schema/index.js"
export { ListenFailed, RelayServer, TlsUnusable } from "./server/RelayServer.js"
export type { ServerSettings } from "./server/ServerConfig.js"
export { type AuthOptions } from "./services/access/Auth.js"
export { FolderNotFound, ForbiddenFolder } from "./services/access/Folders.js"
export { Forbidden } from "./services/access/Principal.js"
export type { Rule as BudgetRule } from "./services/budget/Budgets.js"
export type { Prices } from "./services/budget/Prices.js"
export { JournalFailed, SessionInUse, SessionNotFound } from "./services/journal/Journal.js"
export type { SessionListing } from "./services/log/SessionListing.js"
export { RecordingFailed } from "./services/observe/Recorder.js"
export type { PolicyFile } from "./services/policy/Policy.js"
export { SandboxUnusable } from "./services/process/Sandbox.js"
export type { Settings } from "./services/RelayConfig.js"
export { NotDriving } from "./services/session/Drivers.js"
export { Sender } from "./services/session/Sender.js"
export type { Session } from "./services/session/Session.js"
export {
  type Joined,
  type JoinError,
  SessionRegistry,
  TooManySessions
} from "./services/session/SessionRegistry.js"

/**
 * RelayConfig: every setting of the relay, with its default. The CLI fills it from flags, `AI_RELAY_*` variables and a
 * file; embedders give an object. Durations are seconds, sizes are bytes.
 */
import { Context, Layer } from "effect"
import { homedir } from "node:os"

export interface Settings {
  /** Folders sessions may work in, with all below them. Default: where the relay was started, and the home folder. */
  readonly roots: ReadonlyArray<string>
  /** Variables a handshake's `env` may set though they change what is loaded or where secrets go. */
  readonly allow_env: ReadonlyArray<string>
  /** How long a permission waits for a person. */
  readonly permission_timeout: number
  /** How long an agent may take to stop a turn before it is ended. */
  readonly interrupt_timeout: number
  /** How long a session named by its client lives on without one. */
  readonly linger: number
  /** Prompts that may wait behind a running turn. */
  readonly max_queued: number
  /** Events kept in memory per session. */
  readonly retain_bytes: number
  /** Write every session's transcript into this folder, secrets redacted. */
  readonly record?: string
}

export const defaults = (): Settings => ({
  roots: [process.cwd(), homedir()],
  allow_env: [],
  permission_timeout: 30 * 60,
  interrupt_timeout: 30,
  linger: 60,
  max_queued: 100,
  retain_bytes: 16 * 1024 * 1024
})

export class RelayConfig extends Context.Tag("ai-relay/services/RelayConfig")<RelayConfig, Settings>() {
  static readonly layer = (settings: Partial<Settings> = {}) =>
    Layer.sync(this, () => ({ ...defaults(), ...settings }))
}

/** labIgnores: flags that say something of one relay, and that the lab would not act on: they are refused. */
import { Option } from "effect"
import { standardStateDir } from "./options.js"

export interface LabFlags {
  readonly auth: Option.Option<unknown>
  readonly no_auth: boolean
  readonly no_state: boolean
  readonly state_dir: string
  readonly tls_cert: Option.Option<unknown>
  readonly tls_key: Option.Option<unknown>
  readonly token: Option.Option<unknown>
  readonly token_file: Option.Option<unknown>
}

const users =
  "the lab's users have tokens of their own: set LAB_TOKENS_FILE, LAB_JWT_SECRET, LAB_JWT_JWKS or LAB_USER_HEADER"
const tls = "the lab speaks no TLS itself: put a proxy that does before it (docs/behind-a-proxy.md)"
const state = "each user's relay keeps its state in the user's folder: set LAB_WORKSPACE_ROOT"

/** What is wrong with the first flag that would be ignored, and what to do; undefined if there is none. */
export const ignored = (flags: LabFlags): string | undefined => {
  const found: ReadonlyArray<readonly [isGiven: boolean, name: string, why: string]> = [
    [Option.isSome(flags.tls_cert), "tls-cert", tls],
    [Option.isSome(flags.tls_key), "tls-key", tls],
    [Option.isSome(flags.auth), "auth", users],
    [flags.no_auth, "no-auth", users],
    [Option.isSome(flags.token), "token", users],
    [Option.isSome(flags.token_file), "token-file", users],
    [flags.no_state, "no-state", state],
    [flags.state_dir !== standardStateDir(), "state-dir", state]
  ]
  const first = found.find(([isGiven]) => isGiven)
  if (first === undefined) return undefined
  const [, name, why] = first
  return `--${name} (AI_RELAY_${
    name.toUpperCase().replaceAll("-", "_")
  }) means nothing to ai-relay lab: leave it out; ${why}`
}

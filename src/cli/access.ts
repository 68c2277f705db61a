/** access: who needs the token, by what the operator said and by where the relay runs. */

export interface Access {
  readonly auth: "remote" | "always" | "never"
  /** Why everybody needs it, where the operator did not say so. */
  readonly because?: string
  /** What the operator should know of what was chosen. */
  readonly warning?: string
}

export interface Asked {
  readonly no_auth: boolean
  /** `--auth`, if it was given. */
  readonly auth: "remote" | "always" | undefined
  /** `--token` or `--token-file` was given. */
  readonly hasToken: boolean
  readonly allow_host: ReadonlyArray<string>
  readonly trusted_proxy: ReadonlyArray<string>
  readonly isServe: boolean
  readonly isContainer: boolean
}

/** Why strangers may reach the relay through something on its own machine. */
const reasonOf = ({ allow_host, hasToken, isContainer, isServe, trusted_proxy }: Asked): string | undefined =>
  hasToken
    ? "a token was chosen"
    : allow_host.length > 0
    ? "--allow-host names how others reach it"
    : trusted_proxy.length > 0
    ? "it stands behind a proxy (--trusted-proxy)"
    : isServe
    ? "`ai-relay serve` is for others"
    : isContainer
    ? "it runs in a container"
    : undefined

export const accessOf = (asked: Asked): Access => {
  if (asked.no_auth) return { auth: "never" }
  const reason = reasonOf(asked)
  if (asked.auth === "remote" && reason !== undefined) {
    return {
      auth: "remote",
      warning:
        "--auth remote lets in whoever connects to localhost without a token: a proxy, tunnel or published port on "
        + "this machine that sets no header makes everybody look so"
    }
  }
  if (asked.auth !== undefined) return { auth: asked.auth }
  return reason === undefined
    ? { auth: "remote" }
    : { auth: "always", because: `${reason} (--auth remote lets programs on this machine in without)` }
}

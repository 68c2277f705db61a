/** access: decides who needs the token, from the operator's flags and from where the relay runs. */

export interface Access {
  readonly auth: "remote" | "always" | "never"
  /** Why everybody needs it although the operator did not ask for that. */
  readonly because?: string
  /** A risk of the operator's choice. */
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

/** Why requests that seem local may come from elsewhere. */
const reasonOf = ({ allow_host, hasToken, isContainer, isServe, trusted_proxy }: Asked): string | undefined =>
  hasToken
    ? "a token was set"
    : allow_host.length > 0
    ? "--allow-host is set"
    : trusted_proxy.length > 0
    ? "it runs behind a proxy (--trusted-proxy)"
    : isServe
    ? "`ai-relay serve` is meant for other machines"
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
        "--auth remote lets everyone who connects to localhost in without a token: a proxy, tunnel or published port on "
        + "this machine that sets no forwarding header makes every client look local"
    }
  }
  if (asked.auth !== undefined) return { auth: asked.auth }
  return reason === undefined
    ? { auth: "remote" }
    : { auth: "always", because: `${reason} (with --auth remote, programs on this machine need none)` }
}

/**
 * Proxies: the trusted proxies, which are believed about a user and about a request's origin.
 */
import { Effect, Option } from "effect"
import * as TrustedProxies from "../services/access/TrustedProxies.js"
import { BadLabSetting, type LabSettings } from "./LabConfig.js"
import type { Visitor } from "./Users.js"

export const make = Effect.fnUntraced(
  function*({ trusted_proxies, user_header }: Pick<LabSettings, "trusted_proxies" | "user_header">) {
    const bad = TrustedProxies.badEntry(trusted_proxies)
    if (bad !== undefined) {
      return yield* new BadLabSetting({
        name: "LAB_TRUSTED_PROXIES",
        problem: `names "${bad}": use addresses, such as 10.0.0.7, or networks, such as 10.0.0.0/24`
      })
    }
    const proxies = TrustedProxies.make(trusted_proxies)

    /** The request's origin: the last hop that is not a trusted proxy, as reported by those. */
    const addressOf = ({ address, headers }: Visitor): string | undefined =>
      proxies.addressOf(address, headers)

    /** The user named by a trusted proxy. */
    const userOf = ({ address, headers }: Visitor): string | undefined => {
      if (Option.isNone(user_header) || !proxies.isTrusted(address)) return undefined
      const said = headers[user_header.value.toLowerCase()]
      return typeof said === "string" && said !== "" ? said : undefined
    }

    return { addressOf, isTrusted: proxies.isTrusted, userOf }
  }
)

/** Proxies: the addresses whose word is believed, about a user and about where a request comes from. */
import { Effect, Option } from "effect"
import { BlockList, isIP } from "node:net"
import { BadLabSetting, type LabSettings } from "./LabConfig.js"
import type { Visitor } from "./Users.js"

const familyOf = (address: string) => isIP(address) === 6 ? "ipv6" : "ipv4"

const isPrefix = (address: string, prefix: string) =>
  /^\d{1,3}$/.test(prefix) && Number(prefix) <= (isIP(address) === 6 ? 128 : 32)

/** A socket that listens on IPv6 tells IPv4 addresses in its own way. */
const plain = (address: string) => address.replace(/^::ffff:(?=\d+\.)/i, "")

export const make = Effect.fnUntraced(
  function*({ trusted_proxies, user_header }: Pick<LabSettings, "trusted_proxies" | "user_header">) {
    const trusted = new BlockList()
    for (const entry of trusted_proxies) {
      const [address = "", prefix] = entry.split("/", 2)
      if (isIP(address) === 0 || (prefix !== undefined && !isPrefix(address, prefix))) {
        return yield* new BadLabSetting({
          name: "LAB_TRUSTED_PROXIES",
          problem: `names "${entry}": use addresses, such as 10.0.0.7, or networks, such as 10.0.0.0/24`
        })
      }
      if (prefix === undefined) trusted.addAddress(address, familyOf(address))
      else trusted.addSubnet(address, Number(prefix), familyOf(address))
    }

    const isTrusted = (address: string) => isIP(address) !== 0 && trusted.check(address, familyOf(address))

    /** Where it comes from: the last hop that is no trusted proxy, as those tell it in `X-Forwarded-For`. */
    const addressOf = ({ address, headers }: Visitor): string | undefined => {
      const told = [headers["x-forwarded-for"] ?? []].flat().join(",").split(",").map((hop) => hop.trim())
      const hops = [...told.filter((hop) => hop !== ""), address ?? ""].map(plain)
      return hops.findLast((hop) => !isTrusted(hop)) ?? address
    }

    /** The user a trusted proxy names. */
    const userOf = ({ address, headers }: Visitor): string | undefined => {
      if (Option.isNone(user_header) || !isTrusted(plain(address ?? ""))) return undefined
      const said = headers[user_header.value.toLowerCase()]
      return typeof said === "string" && said !== "" ? said : undefined
    }

    return { addressOf, userOf }
  }
)

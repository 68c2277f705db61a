/** Where other machines reach a relay: what a QR code says. */
import { assert, describe, it } from "@effect/vitest"
import { addressesAt } from "../../src/server/addresses.js"

const interfaces = [
  { address: "127.0.0.1", family: "IPv4", internal: true },
  { address: "::1", family: "IPv6", internal: true },
  { address: "fe80::1", family: "IPv6", internal: false },
  { address: "2001:db8::5", family: "IPv6", internal: false },
  { address: "169.254.3.4", family: "IPv4", internal: false },
  { address: "192.168.1.5", family: "IPv4", internal: false }
] as const

describe("a relay's addresses", () => {
  it("are those of this machine where it listens everywhere, without what no other machine can use", () => {
    for (const host of ["0.0.0.0", "::"]) {
      assert.deepStrictEqual(addressesAt(host, 8765, false, interfaces), [
        "http://192.168.1.5:8765",
        "http://[2001:db8::5]:8765"
      ])
    }
  })

  it("are none where it serves its own machine alone", () => {
    for (const host of ["127.0.0.1", "localhost", "::1", "127.8.0.1"]) {
      assert.deepStrictEqual(addressesAt(host, 8765, false, interfaces), [], host)
    }
  })

  it("are the one it was told, spelled as browsers do", () => {
    assert.deepStrictEqual(addressesAt("10.0.0.7", 443, true, interfaces), ["https://10.0.0.7"])
    assert.deepStrictEqual(addressesAt("10.0.0.7", 80, false, interfaces), ["http://10.0.0.7"])
    assert.deepStrictEqual(addressesAt("fd00::7", 8443, true, interfaces), ["https://[fd00::7]:8443"])
  })
})

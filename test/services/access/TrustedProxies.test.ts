import { assert, describe, it } from "@effect/vitest"
import { badEntry, make } from "../../../src/services/access/TrustedProxies.js"

describe("TrustedProxies", () => {
  const proxies = make(["10.0.0.0/8", "::1", "127.0.0.1"])

  it.each([
    ["8.8.8.8", { "x-forwarded-for": "1.1.1.1" }, "8.8.8.8"],
    ["10.0.0.7", { "x-forwarded-for": "1.1.1.1" }, "1.1.1.1"],
    ["::ffff:10.0.0.7", { "x-forwarded-for": "6.6.6.6, 1.1.1.1, 10.9.9.9" }, "1.1.1.1"],
    [
      "127.0.0.1",
      { forwarded: "for=6.6.6.6;proto=http, for=\"[2001:db8::1]:4711\";by=10.0.0.7" },
      "2001:db8::1"
    ],
    ["127.0.0.1", { "x-real-ip": "1.1.1.1" }, "1.1.1.1"],
    ["127.0.0.1", { "x-forwarded-for": "192.0.2.1:5566" }, "192.0.2.1"],
    ["127.0.0.1", {}, "127.0.0.1"],
    ["127.0.0.1", { "x-forwarded-for": " , " }, "127.0.0.1"],
    [undefined, { "x-forwarded-for": "1.1.1.1" }, undefined]
  ])("a request of %s with %j comes from %s", (peer, headers, address) => {
    assert.strictEqual(proxies.addressOf(peer, headers as Record<string, string>), address)
  })

  it("believes nobody where none is named", () => {
    assert.strictEqual(make([]).addressOf("127.0.0.1", { "x-forwarded-for": "1.1.1.1" }), "127.0.0.1")
  })

  it.each(["10.0.0.0/33", "10.0.0.0/8/8", "relay.example", "", "10.0.0.0/x", "::/129"])(
    "knows that %j is no entry",
    (entry) => {
      assert.strictEqual(badEntry(["10.0.0.7", entry]), entry)
    }
  )
})

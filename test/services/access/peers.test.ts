import { assert, describe, it } from "@effect/vitest"
import { peerOf } from "../../../src/services/access/peers.js"

describe("peerOf", () => {
  it.each([
    ["10.0.0.1", "10.0.0.1"],
    ["::ffff:10.0.0.1", "10.0.0.1"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:db8::1", "2001:db8:0:0::/64"],
    ["2001:db8:1:2::", "2001:db8:1:2::/64"],
    ["fe80::1%eth0", "fe80:0:0:0::/64"],
    ["::1", "0:0:0:0::/64"],
    [undefined, "unknown"]
  ])("%s is one of %s", (address, peer) => assert.strictEqual(peerOf(address), peer))
})

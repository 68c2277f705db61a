import { assert, describe, it } from "@effect/vitest"
import { isForwarded, isLoopbackHost, peerOf } from "../../../src/services/access/peers.js"

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

describe("a request that was passed on", () => {
  it.each(
    ("forwarded forwarded-for via x-forwarded x-forwarded-for x-forwarded-proto x-forward-for x-real-ip x_forwarded_for "
      + "x_real_ip cf-connecting-ip cdn-loop cdn-src-ip cloudfront-viewer-address true-client-ip fly-client-ip "
      + "x-client-ip x-clientip clientip client-ip x-cluster-client-ip x-original-forwarded-for x-envoy-external-address "
      + "proxy-client-ip wl-proxy-client-ip http-client-ip http_x_forwarded_for x-proxyuser-ip x-azure-clientip "
      + "incap-client-ip x-sucuri-clientip ali-cdn-real-ip x-source-ip x-user-ip x-nginx-proxy max-forwards")
      .split(" ")
  )("is known by %s", (name) => assert.isTrue(isForwarded({ host: "localhost", [name]: "1" })))

  it("is not taken for one of a browser's or a program's of this machine", () => {
    const usual =
      "host connection upgrade origin user-agent accept accept-language authorization content-type cookie "
      + "sec-websocket-key sec-websocket-protocol sec-fetch-site sec-ch-ua http2-settings te traceparent x-request-id "
      + "x-requested-with x-client-info cache-control referer last-event-id dnt priority"
    assert.isFalse(isForwarded(Object.fromEntries(usual.split(" ").map((name) => [name, "1"]))))
  })
})

describe("a name that only this machine goes by", () => {
  it.each(["localhost", "LOCALHOST:80", "127.0.0.1", "127.1.2.3:9", "[::1]", "[::1]:80"])(
    "is %s",
    (host) => assert.isTrue(isLoopbackHost(host))
  )
  it.each([
    undefined,
    "",
    "localhost.",
    "localhost.evil.com",
    "evil-localhost",
    "127.0.0.1.evil.com",
    "127.0.0.1.",
    "127.1",
    "2130706433",
    "0.0.0.0",
    "[::]",
    "[::ffff:127.0.0.1]",
    "localhost:80:81",
    "localhost\n",
    "localhost@evil.com",
    "user@localhost",
    "localhost/",
    "ⓛocalhost"
  ])("is not %j", (host) => assert.isFalse(isLoopbackHost(host)))
})

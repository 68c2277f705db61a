/** Who needs the token by default, and what the relay says of it when it starts. */
import { assert, describe, it } from "@effect/vitest"
import { Redacted } from "effect"
import { accessOf, type Asked } from "../../src/cli/access.js"
import { asFirst, linesOf } from "../../src/cli/announce.js"
import { isContainer } from "../../src/cli/container.js"

const plain: Asked = {
  no_auth: false,
  auth: undefined,
  hasToken: false,
  allow_host: [],
  trusted_proxy: [],
  isServe: false,
  isContainer: false
}

describe("as process 1", () => {
  it("says that ended programs stay, and what to start the container with", () => {
    assert.match(asFirst(1).join(), /as process 1, .* with --init/)
    assert.deepStrictEqual(asFirst(2), [])
  })
})

describe("everybody needs the token", () => {
  const reasons: ReadonlyArray<readonly [string, Partial<Asked>, string]> = [
    ["once one was chosen", { hasToken: true }, "a token was set"],
    ["where others call the relay by a name", { allow_host: ["relay.example"] }, "--allow-host"],
    ["behind a proxy", { trusted_proxy: ["10.0.0.7"] }, "--trusted-proxy"],
    ["of `serve`", { isServe: true }, "ai-relay serve"],
    ["in a container", { isContainer: true }, "container"]
  ]
  it.each(reasons)("%s", (_, asked, because) => {
    const access = accessOf({ ...plain, ...asked })
    assert.strictEqual(access.auth, "always")
    assert.include(access.because, because)
    const chosen = accessOf({ ...plain, ...asked, auth: "remote" })
    assert.strictEqual(chosen.auth, "remote")
    assert.include(chosen.warning, "proxy, tunnel or published port")
  })

  it("not on a machine of one's own, nor where nobody does", () => {
    assert.deepStrictEqual(accessOf(plain), { auth: "remote" })
    assert.deepStrictEqual(accessOf({ ...plain, auth: "remote" }), { auth: "remote" })
    assert.deepStrictEqual(accessOf({ ...plain, auth: "always" }), { auth: "always" })
    assert.deepStrictEqual(accessOf({ ...plain, hasToken: true, no_auth: true }), { auth: "never" })
  })
})

describe("what is printed", () => {
  const token = Redacted.make("t0ken")
  const kept = { token, isNew: false, file: "/state/token" }
  const at = { host: "0.0.0.0", port: 8765, secure: false }
  const always = accessOf({ ...plain, isServe: true })
  const terminal = { isTerminal: true, isJournal: false }
  const text = (...args: Parameters<typeof linesOf> extends [string, ...infer Rest] ? Rest : never) =>
    linesOf("1", ...args).join("\n")

  it("is a link that opens the console in one click, at a terminal, also where everybody needs the token", () => {
    const printed = text(at, kept, always, terminal)
    assert.include(printed, "Open http://localhost:8765/#token=t0ken in a browser")
    assert.include(printed, "Every client needs the token, even on this machine, because")
    assert.include(printed, "--auth remote")
  })

  it("shows a token that is kept to nobody but a terminal, and none ever to the system's journal", () => {
    const log = { isTerminal: false, isJournal: false }
    assert.notInclude(text(at, kept, always, log), "t0ken\n")
    assert.include(text(at, kept, always, log), "with the token in /state/token")
    const journal = { isTerminal: false, isJournal: true }
    for (const access of [always, accessOf(plain)]) {
      assert.notInclude(text(at, { ...kept, isNew: true }, access, journal), "t0ken")
      assert.include(text(at, { ...kept, isNew: true }, access, journal), "/state/token")
    }
  })

  it("shows no token that the operator chose", () => {
    const printed = text(at, { token, isNew: false }, accessOf({ ...plain, hasToken: true }), terminal)
    assert.notInclude(printed, "t0ken")
    assert.include(printed, "with the token you set")
  })

  it("warns of what lets strangers in, and of a token in clear", () => {
    const printed = text(at, kept, accessOf({ ...plain, isServe: true, auth: "remote" }), terminal)
    assert.include(printed, "Warning: --auth remote lets everyone")
    assert.include(printed, "Without TLS the token is sent unencrypted")
    assert.notInclude(text({ ...at, secure: true }, kept, always, terminal), "unencrypted")
  })
})

describe("a container", () => {
  const here = (files: Readonly<Record<string, string>>, env: Record<string, string> = {}) =>
    isContainer({ env, exists: (path) => path in files, read: (path) => files[path] ?? "" })
  const mount = (within: string, type: string, source: string) =>
    `27 1 0:30 ${within} / rw,relatime - ${type} ${source} rw`

  it("is known by what runs it", () => {
    assert.isTrue(here({ "/.dockerenv": "", "/proc/self/mountinfo": mount("/", "overlay", "overlay") }))
    assert.isTrue(
      here({
        "/.dockerenv": "",
        "/proc/self/mountinfo": mount("/@docker/subvolumes/1", "btrfs", "/dev/sda1")
      })
    )
    assert.isTrue(here({ "/run/.containerenv": "" }))
    assert.isTrue(here({ "/proc/self/cgroup": "0::/kubepods/pod1/2" }))
    assert.isTrue(here({}, { KUBERNETES_SERVICE_HOST: "10.0.0.1" }))
    assert.isTrue(here({}, { container: "podman" }))
  })

  it("is no machine, also one that was made of an image", () => {
    assert.isFalse(here({ "/proc/self/cgroup": "0::/user.slice" }))
    assert.isFalse(here({ "/.dockerenv": "", "/proc/self/mountinfo": mount("/", "ext4", "/dev/vda") }))
  })
})

/** What systemd and launchd are told of the relay: read as they read it; nothing is started. */
import { assert, describe, it } from "@effect/vitest"
import { keeperOf, serviceOf } from "../../src/cli/service.js"
import { launchdPlist, systemdUnit } from "../../src/cli/serviceFiles.js"

const service = (...args: ReadonlyArray<string>) => {
  const made = serviceOf(args, {
    node: "/usr/bin/node",
    program: "/opt/ai relay/dist/cli.mjs",
    home: "/home/me",
    path: "/usr/bin:/home/me/100%/bin"
  })
  if (typeof made === "string") throw new Error(made)
  return made
}

/** As systemd reads the words of a command line (systemd.service, systemd.syntax). */
const wordsOf = (line: string): ReadonlyArray<string> =>
  [...line.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, word = ""]) =>
    word.replace(/\\(.)/g, (_, char: string) => char === "n" ? "\n" : char === "t" ? "\t" : char)
      .replaceAll("%%", "%").replaceAll("$$", "$")
  )

describe("a unit of systemd", () => {
  it("is this, to the letter", () => {
    assert.strictEqual(
      systemdUnit(service("--port", "9001")),
      `[Unit]
Description=ai-relay: coding agents over WebSocket
After=network.target

[Service]
ExecStart="/usr/bin/node" "/opt/ai relay/dist/cli.mjs" "--port" "9001"
WorkingDirectory=/home/me
Environment="PATH=/usr/bin:/home/me/100%%/bin"
Restart=on-failure
RestartSec=2
KillMode=mixed
TimeoutStopSec=18

[Install]
WantedBy=default.target
`
    )
  })

  it("says any argument as it is", () => {
    const strange = [
      "a b",
      "\"quoted\"",
      "back\\slash",
      "$HOME",
      "${X}",
      "%h",
      "100%",
      "new\nline",
      "tab\there",
      "'",
      ""
    ]
    const [, line = ""] = /^ExecStart=(.*)$/m.exec(systemdUnit(service(...strange))) ?? []
    assert.deepStrictEqual(wordsOf(line).slice(2), strange)
  })

  it("gives the relay the time its turns may take to end", () => {
    for (const args of [["--drain", "60"], ["--drain=60"]]) {
      assert.include(systemdUnit(service(...args)), "TimeoutStopSec=75\n")
    }
  })
})

describe("an agent of launchd", () => {
  it("has the same command, with what XML would take for its own spelled", () => {
    const text = launchdPlist(service("--allow-origin", "https://a.example/?x=1&y=<2>"))
    const words = [...(/<array>([^]*?)<\/array>/.exec(text)?.[1] ?? "").matchAll(/<string>(.*)<\/string>/g)]
      .map(([, word]) => word)
    assert.deepStrictEqual(words, [
      "/usr/bin/node",
      "/opt/ai relay/dist/cli.mjs",
      "--allow-origin",
      "https://a.example/?x=1&amp;y=&lt;2&gt;"
    ])
    assert.include(text, "<key>PATH</key>\n    <string>/usr/bin:/home/me/100%/bin</string>")
    assert.include(text, "<key>RunAtLoad</key>\n  <true/>")
  })
})

describe("a service", () => {
  const machine = { home: "/home/me", config_home: undefined, uid: 501, user: "me" }

  it("is a user's, where its system looks for it", () => {
    assert.strictEqual(
      keeperOf({ ...machine, platform: "linux" })?.file,
      "/home/me/.config/systemd/user/ai-relay.service"
    )
    assert.strictEqual(
      keeperOf({ ...machine, platform: "linux", config_home: "/cfg" })?.file,
      "/cfg/systemd/user/ai-relay.service"
    )
    const mac = keeperOf({ ...machine, platform: "darwin" })
    assert.strictEqual(mac?.file, "/home/me/Library/LaunchAgents/ai-relay.plist")
    assert.deepStrictEqual(mac?.stop, [["launchctl", "bootout", "gui/501/ai-relay"]])
    assert.isUndefined(keeperOf({ ...machine, platform: "win32" }))
  })

  it("has only flags there are, and paths that do not depend on the folder it starts in", () => {
    const { command } = service("--root", ".", "--state-dir=st", "--config", "/etc/c.json", "--host", "::1")
    assert.deepStrictEqual(command.slice(2), [
      "--root",
      process.cwd(),
      `--state-dir=${process.cwd()}/st`,
      "--config",
      "/etc/c.json",
      "--host",
      "::1"
    ])
    assert.throws(() => service("--prot", "1"), "there is no flag --prot: ai-relay --help lists them")
  })

  it("takes no token into its file", () => {
    for (const args of [["--token", "x"], ["--token=x"]]) {
      assert.match(
        String(serviceOf(args, { node: "n", program: "p", home: "/", path: "" })),
        /--token-file/
      )
    }
    assert.isObject(serviceOf(["--token-file", "f"], { node: "n", program: "p", home: "/", path: "" }))
  })
})

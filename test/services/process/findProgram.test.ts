import { afterAll, assert, describe, it } from "@effect/vitest"
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join, relative } from "node:path"
import { findProgram, withFolderOf } from "../../../src/services/process/findProgram.js"

const root = mkdtempSync(join(tmpdir(), "find-program-"))
afterAll(() => rmSync(root, { recursive: true }))

const put = (path: string, mode = 0o755): string => {
  const file = join(root, path)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, "#!/bin/sh\n", { mode })
  return file
}

const find = (command: string, env: Readonly<Record<string, string>> = {}) =>
  findProgram(command, { HOME: join(root, "home"), ...env }, root)

describe("findProgram", () => {
  it("takes the first program on PATH", () => {
    const first = put("a/agent")
    put("b/agent")
    assert.strictEqual(find("agent", { PATH: `${root}/missing:${root}/a:${root}/b` }), first)
  })

  it("passes over files that cannot be run, and folders", () => {
    put("plain/tool", 0o644)
    mkdirSync(join(root, "folder/tool"), { recursive: true })
    const tool = put("good/tool")
    assert.strictEqual(find("tool", { PATH: `${root}/plain:${root}/folder:${root}/good` }), tool)
  })

  it("looks into the system's folders when there is no PATH", () => {
    assert.match(find("sh") ?? "", /^\/.*\/sh$/)
  })

  it("takes a name with a slash for a path, from the agent's folder on", () => {
    const script = put("tools/run")
    assert.strictEqual(find("./tools/run"), script)
    assert.strictEqual(find("tools/run"), script)
    assert.strictEqual(find(script), script)
    assert.isUndefined(find("./tools/missing"))
    assert.isUndefined(find("./run", { PATH: `${root}/tools` }))
  })

  it("takes one that begins with ~ from the home of the relay's user on, as a shell would", () => {
    const home = mkdtempSync(join(root, "home-"))
    const before = process.env["HOME"]
    process.env["HOME"] = home
    try {
      const script = put(join(relative(root, home), "bin/agent"))
      assert.strictEqual(find("~/bin/agent"), script)
      assert.isUndefined(find("~nobody/bin/agent"))
    } finally {
      process.env["HOME"] = before
    }
  })

  it("does not run what lies in the agent's folder because PATH has an empty or relative entry", () => {
    put("planted")
    assert.isUndefined(find("planted", { PATH: `:.:..:${root}/missing` }))
  })

  it("looks where installers put programs: ~/.local/bin, and nvm's newest version that has it", () => {
    const local = put("home/.local/bin/installed")
    put("home/.nvm/versions/node/v9.11.2/bin/cli")
    const newer = put("home/.nvm/versions/node/v20.9.0/bin/cli")
    put("home/.nvm/versions/node/v22.1.0/bin/other")
    assert.strictEqual(find("installed", { PATH: "/nowhere" }), local)
    assert.strictEqual(find("cli", { PATH: "/nowhere" }), newer)
  })

  it("follows links and gives the link's own path", () => {
    const target = put("real/program")
    mkdirSync(join(root, "links"))
    symlinkSync(target, join(root, "links/program"))
    symlinkSync(join(root, "gone"), join(root, "links/broken"))
    assert.strictEqual(find("program", { PATH: `${root}/links` }), join(root, "links/program"))
    assert.isUndefined(find("broken", { PATH: `${root}/links` }))
  })

  it("says undefined when there is none", () => {
    assert.isUndefined(find("no-such-program-anywhere"))
    assert.isUndefined(find(""))
  })
})

describe("withFolderOf", () => {
  it("adds the program's folder at the end of PATH unless it is there", () => {
    assert.deepStrictEqual(withFolderOf("/opt/x/cli", { PATH: "/bin", A: "1" }), {
      PATH: "/bin:/opt/x",
      A: "1"
    })
    const env = { PATH: "/bin:/opt/x" }
    assert.strictEqual(withFolderOf("/opt/x/cli", env), env)
  })
})

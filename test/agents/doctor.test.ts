/** `ai-relay doctor`, the real program, on a machine whose agents are a few lines of shell. */
import { spawnSync } from "node:child_process"
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { buildDaemon } from "../support/daemon.js"

const home = mkdtempSync(join(tmpdir(), "ai-relay-doctor-"))
const bin = join(home, "bin")
const program = fileURLToPath(new URL("../../dist/cli.mjs", import.meta.url))

beforeAll(() => {
  buildDaemon()
  mkdirSync(bin)
  for (const name of ["sh", "sleep"]) symlinkSync(`/bin/${name}`, join(bin, name))
})
afterAll(() => rmSync(home, { recursive: true }))

const install = (name: string, script: string) =>
  writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 })

const run = (path: string, ...args: ReadonlyArray<string>) =>
  spawnSync(process.execPath, [path, "doctor", ...args], {
    encoding: "utf8",
    env: { PATH: bin, HOME: home }
  })
const doctor = (...args: ReadonlyArray<string>) => run(program, ...args)

describe("ai-relay doctor", () => {
  it("fails when no agent works, and says what to install", () => {
    const { status, stdout } = doctor()
    expect(status).toBe(1)
    expect(stdout).toMatch(/^claude .* not installed .*npm install -g @anthropic-ai\/claude-code$/m)
    expect(stdout).toMatch(/^cortex .* not signed in .*SNOWFLAKE_PAT/m)
    expect(stdout).toMatch(/^generic .* ready$/m)
  })

  it("looks for the agents of the operator's registry file, too, as the relay does", () => {
    const file = join(home, "registry.json")
    const entry = (id: string, name: string) => ({
      id,
      name,
      distribution: { npx: { package: `${id}@1.0.0` } }
    })
    writeFileSync(file, JSON.stringify({ agents: [entry("ours", "Our Agent"), { id: "broken" }] }))
    const { stderr, stdout } = doctor("--acp-registry", file)
    expect(stdout).toMatch(/^ours +Our Agent +not installed .*Install npx on the relay's machine/m)
    expect(stderr + stdout).toMatch(/agent 2 has no `id`, or no `distribution`; this agent is skipped/)
    const { status, stderr: said } = doctor("--acp-registry", join(home, "nowhere.json"))
    expect(status).not.toBe(0)
    expect(said).toMatch(/--acp-registry .*nowhere\.json cannot be read/)
  })

  it("says what to do where no terminal can be had, because node-pty is missing", () => {
    const alone = join(home, "cli.mjs")
    for (const name of readdirSync(dirname(program)).filter((name) => /^cli.*\.[cm]js$/.test(name))) {
      copyFileSync(join(dirname(program), name), join(home, name))
    }
    expect(run(alone).stdout).toMatch(
      /^generic .* not installed .*node-pty cannot be loaded\. Install ai-relay again/m
    )
  })

  it("tells version and login of each agent, as a table and as JSON", () => {
    install("claude", "case \"$*\" in --version) echo '2.0.0 (Claude Code)';; 'auth status') exit 1;; esac")
    install("codex", "case \"$*\" in --version) echo codex-cli 0.169.0;; 'login status') exit 0;; esac")
    install("gemini", "sleep 60")
    const { status, stdout } = doctor("--json")
    expect(status).toBe(0)
    const { agents, relay_version, works } = JSON.parse(stdout) as {
      agents: ReadonlyArray<{ tool: string }>
      relay_version: string
      works: boolean
    }
    const found = (tool: string) => agents.find((agent) => agent.tool === tool)
    expect(works).toBe(true)
    expect(relay_version).toMatch(/^\d+\.\d+\.\d+/)
    expect(found("claude")).toMatchObject({ version: "2.0.0", logged_in: false })
    expect(found("claude")).toHaveProperty("compatibility", expect.stringMatching(/^older than tested \(2\./))
    expect(found("codex")).toMatchObject({ version: "0.169.0", logged_in: true })
    expect(found("gemini")).toMatchObject({ installed: true, logged_in: false })
    expect(found("generic")).toMatchObject({ installed: true })
    install("gemini", "echo 0.61.0")
    install("goose", "echo goose 1.2.3")
    expect(doctor().stdout).toMatch(/^gemini .* 0\.61\.0 \(tested[;)]/m)
    expect(doctor().stdout).toMatch(/^goose .* 1\.2\.3 \(not tested\) /m)
    expect(doctor().stdout).toMatch(
      /^claude .* not signed in +2\.0\.0 \(older than tested .*claude auth login$/m
    )
  })
})

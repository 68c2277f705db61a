/** How long the relay may take to go when nobody in its house wants to: 10 s, by default settings. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, assert, beforeAll, it } from "vitest"
import { connect } from "../support/client.js"
import { buildDaemon, startDaemon } from "../support/daemon.js"
import { installFakeClaude } from "../support/fakeClaude.js"
import { atHome, until } from "../support/processes.js"

/** Begins a turn and hears of nothing any more: no interrupt, no end of its input, no signal. */
const stubborn = `#!/bin/sh
trap '' TERM INT HUP
say() { printf '%s\\n' "$1"; }
while :; do
  if ! read -r line; then sleep 0.1; continue; fi
  case $line in
    *'"subtype":"initialize"'*)
      id=\${line#*'"request_id":"'}
      say '{"type":"control_response","response":{"subtype":"success","request_id":"'"\${id%%\\"*}"'","response":{}}}'
      ;;
    *'"type":"user"'*)
      say '{"type":"system","subtype":"init","cwd":"/","model":"fake","session_id":"s"}'
      (setsid sh -c 'trap "" TERM INT HUP; while :; do sleep 0.1; done' &)
      ;;
  esac
done
`

const patience = 60_000
const home = mkdtempSync(join(tmpdir(), "ai-relay-shutdown-"))
const script = join(home, "stubborn.sh")
writeFileSync(script, stubborn, { mode: 0o755 })
const env = installFakeClaude(home, script)

beforeAll(() => void buildDaemon(), patience)
afterAll(() => rmSync(home, { recursive: true, force: true, maxRetries: 5 }))

it(
  "ends within 10 s beside ten agents and tools that ignore everything, with each turn and session told",
  async () => {
    const daemon = await startDaemon({ env, cwd: home, args: ["--state-dir", join(home, "state")] })
    try {
      const clients = await Promise.all(Array.from({ length: 10 }, async (_, index) => {
        const client = await connect(daemon.url, { tool: "claude", session_id: `s${index}`, folder: home })
        await client.waitFor("session_start")
        client.send({ text: "hello" })
        await client.waitFor("turn_start")
        return client
      }))
      await until(() => atHome(home).length >= 30, patience)
      const started = performance.now()
      assert.strictEqual(await daemon.stop(), 0)
      const took = performance.now() - started
      console.log(`gone after ${Math.round(took)} ms`)
      assert.isBelow(took, 10_000)
      for (const client of clients) {
        assert.includeMembers(client.events.map(({ type }) => type), ["turn_end", "session_end"])
      }
      assert.isBelow(await until(() => atHome(home).length === 0), 5000)
    } finally {
      await daemon.kill()
    }
  },
  patience
)

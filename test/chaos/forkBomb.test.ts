/** Five hundred processes of one agent, half of them in sessions of their own, some still starting others. */
import { afterAll, beforeAll, expect, it } from "vitest"
import { until } from "../support/processes.js"
import { freshTree } from "../support/realAgents.js"
import { buildRelay, startedBy, startRelay } from "../support/relayProcess.js"

let outfile = ""
let remove = () => {}
beforeAll(() => void ({ outfile, remove } = buildRelay()))
afterAll(() => remove())

const bomb = "for n in $(seq 250); do sleep 600 & setsid sleep 600 & done; echo $$;"
  + " while :; do sh -c 'sleep 0.05 & :'; sleep 0.05; done"

it("is gone within 5 s when the relay is killed", async () => {
  const relay = startRelay(outfile, [bomb])
  await until(() => relay.lines.length > 0, 60_000)
  const pids = startedBy(relay)
  expect(pids.length).toBeGreaterThan(500)
  relay.child.kill("SIGKILL")
  const areAlive = () => {
    const everyone = freshTree().all()
    return pids.some((pid) => everyone.has(pid))
  }
  const took = await until(() => !areAlive(), 15_000)
  console.log(`${pids.length} processes were gone ${took.toFixed(0)} ms after SIGKILL`)
  expect(took).toBeLessThan(5000)
  await until(() => startedBy(relay).length === 0)
}, 90_000)

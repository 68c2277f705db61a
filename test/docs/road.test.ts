/**
 * The road of a native line to the socket, as docs/architecture.md draws it: V8 counts what runs between two pieces that an
 * agent prints, with a journal and a client. Each file that runs is named there, and each station runs.
 */
import { Context, Effect, Layer } from "effect"
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { Session } from "node:inspector/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setImmediate } from "node:timers/promises"
import { afterAll, assert, describe, it } from "vitest"
import { Relay, RelayServer } from "../../src/index.js"
import { connect } from "../support/client.js"

const folder = mkdtempSync(join(tmpdir(), "ai-relay-road-"))
const path = process.env["PATH"] ?? ""
afterAll(() => {
  process.env["PATH"] = path
  rmSync(folder, { recursive: true, force: true })
})

/** Claude's own output: a piece for a prompt, and one more when the file `1` is there, `2`, `3`. */
const piece = JSON.stringify({
  type: "stream_event",
  event: { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "a piece" } },
  session_id: "s",
  parent_tool_use_id: null,
  uuid: "u"
})
const agent = `#!/bin/sh
echo '{"type":"system","subtype":"init","session_id":"s","model":"m","tools":[]}'
read -r prompt
echo '${piece}'
for n in 1 2 3; do
  until [ -e '${folder}/'$n ]; do sleep 0.02; done
  echo '${piece}'
done
cat > /dev/null
`

const section = (readFileSync(new URL("../../docs/architecture.md", import.meta.url), "utf8")
  .split("The whole road of a native line")[1] ?? "").split("\n## ")[0] ?? ""
const stations = [...section.matchAll(/^ +\d+ +(\S+)/gm)].map(([, file]) => file ?? "")
const beside = [...section.matchAll(/`([\w/]+\.ts)`/g)].map(([, file]) => file ?? "")

/** Where the relay's own functions ran since it was asked last, but for what a file does when it is loaded. */
const filesRun = async (inspector: Session): Promise<ReadonlyArray<string>> => {
  const { result } = await inspector.post("Profiler.takePreciseCoverage")
  return result.flatMap(({ functions, url }) => {
    const [, file] = /^(?!.*node_modules).*\/src\/(.+)$/.exec(url) ?? []
    const ran = functions.some(({ functionName, ranges: [whole] }) =>
      functionName !== "" && (whole?.count ?? 0) > 0
    )
    return file !== undefined && ran ? [file] : []
  })
}

/** What the beginning of the turn has left to do is done: nothing of the relay ran for a while. What runs by itself does not run in all three. */
const untilQuiet = async (inspector: Session): Promise<void> => {
  let lastRun = performance.now()
  while (performance.now() - lastRun < 300) {
    await setImmediate()
    if ((await filesRun(inspector)).length > 0) lastRun = performance.now()
  }
}

describe.skipIf(process.platform === "win32")("the road of a native line", () => {
  it("has ten stations at most, and is as the page draws it", async () => {
    writeFileSync(join(folder, "claude"), agent)
    chmodSync(join(folder, "claude"), 0o755)
    process.env["PATH"] = `${folder}:${path}`
    const inspector = new Session()
    inspector.connect()
    await inspector.post("Profiler.enable")
    await inspector.post("Profiler.startPreciseCoverage", { callCount: true, detailed: false })
    const runs = await Effect.gen(function*() {
      const built = yield* Layer.build(
        Relay.layer({ port: 0, roots: [folder], state_dir: join(folder, "state") })
      )
      const { port } = Context.get(built, RelayServer).address
      return yield* Effect.promise(async () => {
        const client = await connect(`ws://127.0.0.1:${port}`, { tool: "claude", folder })
        client.send({ text: "go on" })
        const first = await client.waitFor("stream_event")
        let { seq } = first
        const runs: Array<ReadonlyArray<string>> = []
        for (const name of ["1", "2", "3"]) {
          await untilQuiet(inspector)
          writeFileSync(join(folder, name), "")
          seq = (await client.waitFor("stream_event", { after: seq })).seq
          runs.push(await filesRun(inspector))
        }
        return runs
      })
    }).pipe(Effect.scoped, Effect.runPromise).finally(() => inspector.disconnect())

    assert.isAtLeast(stations.length, 5)
    assert.isAtMost(stations.length, 10)
    const named = [...stations.map((file) => file.replace("<agent>/…", "claude/")), ...beside]
    const isNamed = (file: string) => named.some((name) => file.startsWith(name))
    const always = runs.reduce((some, ran) => some.filter((file) => ran.includes(file)))
    assert.deepStrictEqual(always.filter((file) => !isNamed(file)), [], "not on the page")
    // Node hands its bytes to the first.
    const callbacks = ["services/process/AgentPipes.ts"]
    const idle = named.filter((name) => !runs.flat().some((file) => file.startsWith(name)))
    assert.deepStrictEqual(idle, callbacks, "on the page, but nothing of it ran")
  })
})

/**
 * native: how fast conversations of a terminal are found and read, and what that costs in memory.
 *
 *     npm run bench:native              2,000 conversations of Claude Code (374 MB) and one of 200 MB
 *     npm run bench:native -- 500 20    so many, and one of so many MB
 *     … native.mjs write FOLDER 2000    only writes them; … native.mjs child FOLDER list measures on what is there
 *
 * Beside each time stands what it cost of the processor: on a machine that does other work, too, that tells more.
 *
 * Each line is a process of its own (`node … child FOLDER WHAT`), on files that were just written, so that the file cache
 * is warm and nothing else is. Nothing but numbers is printed; the files lie in a folder for temporary files and go again.
 */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import { Context, Effect, Exit, Layer, Scope } from "effect"
import { execFileSync } from "node:child_process"
import { appendFileSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { Folders } from "../src/services/access/Folders.js"
import * as NativeDisk from "../src/services/native/NativeDisk.js"
import { NativeSessions } from "../src/services/native/NativeSessions.js"
import { RelayConfig } from "../src/services/RelayConfig.js"

const folders = 40
const bytesEach = 187_000
const large = "ffffffff-0000-4000-8000-000000000000"

const idOf = (number: number) => `${number.toString(16).padStart(8, "0")}-0000-4000-8000-000000000000`

/** A conversation as Claude Code writes it, of about so many bytes. */
const conversation = (id: string, folder: string, bytes: number, from: number): ReadonlyArray<string> => {
  const lines: Array<string> = []
  let parent: string | null = null
  const written = () => lines.length * 1000
  for (let turn = 0; written() < bytes; turn += 1) {
    const add = (type: string, message: object) => {
      const uuid = `${id.slice(0, 8)}-0000-4000-9000-${lines.length.toString(16).padStart(12, "0")}`
      const line = JSON.stringify({
        parentUuid: parent,
        isSidechain: false,
        type,
        message,
        uuid,
        timestamp: new Date(from + turn * 1000).toISOString(),
        cwd: folder,
        sessionId: id,
        entrypoint: "cli",
        version: "2.1.332",
        gitBranch: "main"
      })
      lines.push(line)
      parent = uuid
    }
    const words = `${turn === 0 ? `Mend the total of cart ${id.slice(0, 8)}. ` : ""}And then? `.repeat(4)
    add("user", { role: "user", content: words })
    const message = { id: `msg_${id.slice(0, 8)}_${turn}`, role: "assistant", model: "claude-x" }
    const usage = { input_tokens: 10, output_tokens: 5, cache_read_input_tokens: 1000 }
    const tool = { type: "tool_use", id: `toolu_${turn}`, name: "Read", input: { file_path: "/a" } }
    add("assistant", { ...message, usage, content: [tool] })
    const result = { type: "tool_result", tool_use_id: tool.id, content: "const total = 0\n".repeat(180) }
    add("user", { role: "user", content: [result] })
    add("assistant", {
      ...message,
      id: `${message.id}b`,
      usage,
      content: [{ type: "text", text: "It is. ".repeat(40) }]
    })
    lines.push(JSON.stringify({ type: "last-prompt", lastPrompt: words, leafUuid: parent, sessionId: id }))
  }
  return lines
}

const write = (home: string, count: number, megabytes: number) => {
  const claude = join(home, ".claude/projects")
  for (let number = 0; number < count; number += 1) {
    const folder = join(home, `shop-${number % folders}`)
    const project = join(claude, folder.replaceAll(/[^a-zA-Z0-9]/g, "-"))
    mkdirSync(folder, { recursive: true })
    mkdirSync(project, { recursive: true })
    const id = idOf(number)
    const lines = conversation(id, folder, bytesEach, Date.UTC(2026, 0, 1) + number * 60_000)
    writeFileSync(join(project, `${id}.jsonl`), `${lines.join("\n")}\n`)
  }
  const folder = join(home, "shop-0")
  const path = join(claude, folder.replaceAll(/[^a-zA-Z0-9]/g, "-"), `${large}.jsonl`)
  const lines = conversation(large, folder, megabytes * 1_000_000, Date.UTC(2027, 0, 1))
  writeFileSync(path, "")
  for (let at = 0; at < lines.length; at += 5000) {
    appendFileSync(path, `${lines.slice(at, at + 5000).join("\n")}\n`)
  }
}

const mebibytes = (bytes: number) => Math.round(bytes / 1024 / 1024)

/** One measurement, in this process. */
const child = async (home: string, what: string) => {
  const layer = NativeSessions.layerOf(NativeDisk.make({ home, variables: {} })).pipe(
    Layer.provide(Folders.layer),
    Layer.provide(RelayConfig.layer({ roots: [home], state_dir: join(home, "state") })),
    Layer.provide(Layer.merge(NodeFileSystem.layer, NodePath.layer))
  )
  const scope = await Effect.runPromise(Scope.make())
  const native = Context.get(await Effect.runPromise(Layer.buildWithScope(layer, scope)), NativeSessions)
  const run = <A, E>(effect: Effect.Effect<A, E>) => Effect.runPromise(effect)
  // What is loaded when it is first wanted does not count.
  await run(native.store("claude"))
  const idle = process.memoryUsage.rss()
  const timed = async (effect: Effect.Effect<unknown, unknown>) => {
    const began = performance.now()
    const before = process.cpuUsage()
    await run(effect)
    const ms = performance.now() - began
    const { system, user } = process.cpuUsage(before)
    return { ms, cpu: (system + user) / 1000 }
  }
  const times: Array<{ readonly ms: number; readonly cpu: number }> = []
  const list = native.list({ limit: 50 })
  switch (what) {
    case "list":
      times.push(await timed(list), await timed(list))
      break
    case "search":
      times.push(
        await timed(native.list({ q: "cart 00000003" })),
        await timed(native.list({ q: "cart 00000004" }))
      )
      break
    case "page":
    case "all": {
      const found = await run(native.find("claude", large))
      const bytes = what === "page" ? 4 * 1024 * 1024 : Number.POSITIVE_INFINITY
      times.push(
        await timed(what === "page" ? native.page(found, { turns: 20, bytes }) : native.history(found, bytes))
      )
      break
    }
    case "tail": {
      // What a follower does each time the terminal has written.
      const found = await run(native.find("claude", large))
      times.push(
        await timed(native.history(found, 256 * 1024)),
        await timed(native.history(found, 256 * 1024))
      )
    }
  }
  // The index is kept now at the latest.
  await Effect.runPromise(Scope.close(scope, Exit.void))
  const peak = process.resourceUsage().maxRSS * 1024
  console.log(
    `${times.map(({ cpu, ms }) => `${ms.toFixed(0)} ms (CPU ${cpu.toFixed(0)})`).join(", ")}, ${
      mebibytes(Math.max(0, peak - idle))
    } MiB over idle`
  )
  process.exit()
}

const steps = [
  ["list", "first page of 50, then again"],
  ["list", "the same after a restart"],
  ["search", "one of all by its first prompt, then another"],
  ["search", "the same after a restart"],
  ["page", "last 20 turns of the large one"],
  ["all", "all of the large one"],
  ["tail", "what is new at its end, twice"]
] as const

const main = () => {
  const [count = 2000, megabytes = 200] = process.argv.slice(2).map(Number)
  const home = realpathSync(mkdtempSync(join(tmpdir(), "ai-relay-bench-native-")))
  try {
    write(home, count, megabytes)
    console.log(`${count} conversations, and one of ${megabytes} MB`)
    for (const [what, label] of steps) {
      const said = execFileSync(process.execPath, [fileURLToPath(import.meta.url), "child", home, what], {
        encoding: "utf8"
      })
      console.log(`${label}: ${said.trim()}`)
    }
  } finally {
    rmSync(home, { recursive: true, force: true })
  }
}

const [, , role, home = "", what = ""] = process.argv
if (role === "child") await child(home, what)
else if (role === "write") write(home, Number(what), 200)
else main()

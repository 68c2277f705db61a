/** lists: a relay with 20,000 kept sessions: its start, its listing, and how long others wait meanwhile. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { Running } from "../contenders.js"
import { ask, inRounds, together } from "../measure.js"
import type { Bench, Scenario } from "../Scenario.js"

const sessions = 20_000
/** Of as many characters as its copies' ids, so that nothing else changes. */
const pattern = "kept-00000"

/** A kept session's files, by name. */
const makeOne = (bench: Bench): Promise<ReadonlyMap<string, string>> =>
  together([bench.ours], async ([running]) => {
    const { open, state } = running as Running
    const talk = await open({ session_id: pattern })
    const ended = talk.ended()
    ask(talk, { lines: 20, bytes: 400 })
    await ended
    const closed = talk.has(talk.frames() + 1)
    talk.send(JSON.stringify({ type: "end" }))
    await closed
    await talk.close()
    const folder = join(state, "sessions", pattern)
    return new Map(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), "utf8")]))
  })

const copies = (files: ReadonlyMap<string, string>) => (state: string) => {
  for (let n = 0; n < sessions; n++) {
    const id = `kept-${String(n).padStart(5, "0")}`
    const folder = join(state, "sessions", id)
    mkdirSync(folder, { recursive: true })
    for (const [name, text] of files) writeFileSync(join(folder, name), text.replaceAll(pattern, id))
  }
}

/** ms of one answer; its body is read whole. */
const timed = async (url: string) => {
  const begun = performance.now()
  const response = await fetch(url)
  const { length } = await response.text()
  if (!response.ok || length === 0) throw new Error(`${url} answers ${response.status}`)
  return performance.now() - begun
}

const measured = async ({ startMs, url }: Running) => {
  const http = url.replace("ws://", "http://").replace(/\/$/, "")
  const done = new AbortController()
  let longest = 0
  const others = (async () => {
    while (!done.signal.aborted) longest = Math.max(longest, await timed(`${http}/healthz`))
  })()
  const first = await timed(`${http}/sessions?limit=50`)
  const again = await timed(`${http}/sessions?limit=50`)
  done.abort()
  await others
  return { start: startMs, first, again, longest }
}

export const lists: Scenario = {
  name: "lists",
  about:
    `A relay that keeps ${sessions} sessions: the first page of its list, and how long another request waits meanwhile.`,
  run: async (bench) => {
    const files = await makeOne(bench)
    const one = { name: bench.ours.name }
    const { again, first, longest, start } = await inRounds(
      bench,
      "lists",
      [one],
      () => together([bench.ours], ([running]) => measured(running as Running), { prepare: copies(files) }),
      0
    )
    const ms = { unit: "ms", better: "lower" } as const
    return [
      { what: "command to listening", ...ms, samples: start, goals: [] },
      { what: "the first list", ...ms, samples: first, goals: [] },
      { what: "the list once more", ...ms, samples: again, goals: [] },
      { what: "the longest another request waits meanwhile", ...ms, samples: longest, goals: [{ bound: 5 }] }
    ]
  }
}

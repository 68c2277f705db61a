/** oddFiles: homes with one conversation each, of lines as the agents write them. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { runSteps } from "../../src/adapters/native/NativeFiles.js"
import { type Agent, eventsOf, promptsOf, storeAt } from "./nativeHomes.js"

const home = realpathSync(mkdtempSync(join(tmpdir(), "odd-files-")))
export const removeHomes = () => rmSync(home, { recursive: true })

export const ids: Readonly<Record<Agent, string>> = {
  claude: "aaaaaaaa-0000-4000-8000-000000000001",
  codex: "01a222a7-3924-7253-950a-97c4e15e1cfb",
  gemini: "7b974545-9461-4b74-8c30-cc8285e04f4c"
}
let made = 0
/** A home with one conversation of these bytes. */
export const homeOf = (agent: Agent, bytes: string | Buffer, id = ids[agent]) => {
  const root = join(home, String(made++))
  const [folder, name] = agent === "claude"
    ? [join(root, "projects/-srv-shop"), `${id}.jsonl`]
    : agent === "codex"
    ? [join(root, "sessions/2026/11/28"), `rollout-2026-11-28T14-55-14-${id}.jsonl`]
    : [join(root, ".gemini/tmp/shop/chats"), `session-2026-11-28T15-03-${id.slice(0, 8)}.jsonl`]
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, name), bytes)
  if (agent === "gemini") writeFileSync(join(root, ".gemini/tmp/shop/.project_root"), "/srv/shop")
  const store = storeAt(agent, root)
  const file = runSteps(store.find(id))
  if (file === undefined) throw new Error("the conversation is not found")
  return { root, store, file }
}
export const promptsIn = (agent: Agent, bytes: string | Buffer) => {
  const { file, store } = homeOf(agent, bytes)
  return promptsOf(eventsOf(store, file))
}

// --- lines, as each agent writes them ------------------------------------------------------------------------------

export const time = (second: number) => new Date(Date.UTC(2026, 10, 28, 14, 0, second)).toISOString()
export const uuidOf = (number: number) => `bbbbbbbb-0000-4000-8000-${String(number).padStart(12, "0")}`

export const claudeLine = (
  number: number,
  parent: number | null,
  type: string,
  text: string,
  more: object = {}
) =>
  JSON.stringify({
    parentUuid: parent === null ? null : uuidOf(parent),
    isSidechain: false,
    type,
    uuid: uuidOf(number),
    message: type === "user"
      ? { role: "user", content: text }
      : {
        role: "assistant",
        id: `msg_${number}`,
        model: "m",
        content: [{ type: "text", text }],
        stop_reason: "end_turn"
      },
    timestamp: time(number),
    cwd: "/srv/shop",
    sessionId: ids.claude,
    ...more
  })
const codexMeta = JSON.stringify({
  timestamp: time(0),
  type: "session_meta",
  payload: { id: ids.codex, cwd: "/srv/shop", originator: "codex_exec", timestamp: time(0) }
})
export const codexLine = (number: number, type: string, message: string) =>
  JSON.stringify({ timestamp: time(number), type: "event_msg", payload: { type, message } })
const geminiHead = JSON.stringify({
  sessionId: ids.gemini,
  projectHash: "h",
  startTime: time(0),
  kind: "main"
})
export const geminiFields = (number: number, type: string, text: string) => ({
  id: `m${number}`,
  timestamp: time(number),
  type,
  content: [{ text }]
})
export const geminiLine = (number: number, type: string, text: string) =>
  JSON.stringify(geminiFields(number, type, text))

/** The prompts one, two, three with their answers. */
export const words = ["one", "two", "three"]
export const plain: Readonly<Record<Agent, ReadonlyArray<string>>> = {
  claude: words.flatMap((word, turn) => [
    claudeLine(2 * turn + 1, turn === 0 ? null : 2 * turn, "user", word),
    claudeLine(2 * turn + 2, 2 * turn + 1, "assistant", `answer ${word}`)
  ]),
  codex: [
    codexMeta,
    ...words.flatMap((word, turn) => [
      codexLine(2 * turn + 1, "user_message", word),
      codexLine(2 * turn + 2, "agent_message", `answer ${word}`)
    ])
  ],
  gemini: [
    geminiHead,
    ...words.flatMap((word, turn) => [
      geminiLine(2 * turn + 1, "user", word),
      geminiLine(2 * turn + 2, "gemini", `answer ${word}`)
    ])
  ]
}
export const agents = Object.keys(plain) as ReadonlyArray<Agent>
export const textOf = (lines: ReadonlyArray<string>) => lines.map((line) => `${line}\n`).join("")
export const answersIn = (agent: Agent, bytes: string | Buffer) => {
  const { file, store } = homeOf(agent, bytes)
  return eventsOf(store, file).flatMap(({ event }) => event.type === "response" ? [event.text] : [])
}

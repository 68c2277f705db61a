/**
 * recordings: the turns of test/fixtures as the real CLIs wrote them: each line of theirs with its time, and where they
 * waited for an answer.
 */
import { readFileSync } from "node:fs"
import { resolve } from "node:path"

/** What a day holds, by agent: words, commands, diffs, permissions. */
export const recordings = {
  claude: ["hello", "write-file", "permission-allow", "permission-deny"],
  codex: ["hello", "command-output", "file-changes", "approval-accept"],
  gemini: ["hello", "permission-allow", "write-file", "permission-reject"]
}

/** Whether a line of the agent's waits for an answer. */
const asks = ({ method, request, type }) =>
  (type === "control_request" && request?.subtype === "can_use_tool") ||
  /^(item\/.*\/requestApproval|session\/request_permission)$/.test(method ?? "")

const isPrompt = ({ method, type }) => type === "user" || /^(turn\/start|session\/prompt)$/.test(method ?? "")

const sessionOf = (lines) => {
  for (const { data } of lines) {
    const id = data.session_id || data.params?.threadId || data.params?.sessionId
    if (id) return id
  }
  throw new Error("a recording without a session")
}

/**
 * A recording's first turn: `answers`, what was answered to the requests before it, by method; `prompt`, what began it; and
 * its lines, each with the ms to wait before it, and whether an answer has to come before the next.
 */
export const readTurn = (agent, name) => {
  const lines = readFileSync(resolve("test/fixtures", agent, `${name}.jsonl`), "utf8")
    .split("\n").filter((line) => line !== "").map((line) => JSON.parse(line))
    .filter(({ data, dir }) => (dir === "in" || dir === "out") && typeof data === "object")
  const session = sessionOf(lines.filter(({ dir }) => dir === "out"))
  const begin = lines.findIndex(({ data, dir }) => dir === "in" && isPrompt(data))
  const prompt = lines[begin]
  const methods = new Map(
    lines.filter(({ data, dir }) => dir === "in" && data.method).map(({ data }) => [data.id, data.method])
  )
  const answers = Object.fromEntries(
    lines.filter(({ data, dir }) => dir === "out" && data.result !== undefined && methods.has(data.id))
      .map(({ data }) => [methods.get(data.id), data.result])
  )
  const ends = ({ data, dir }) =>
    dir === "out" &&
    (data.type === "result" || data.method === "turn/completed" ||
      (agent === "gemini" && data.id === prompt.data.id && data.result !== undefined))
  const end = lines.findIndex((line, at) => at > begin && ends(line))
  let last = prompt.t
  const steps = []
  for (const { data, dir, t } of lines.slice(begin + 1, end + 1)) {
    const waits = Math.max(0, t - last)
    last = t
    // A person's time to answer is not the agent's: the next line waits from the answer on.
    if (dir === "in") continue
    steps.push({ line: data, waits, asks: asks(data) })
  }
  return { session, prompt: prompt.data, answers, steps }
}

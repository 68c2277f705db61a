/** nativeTerminal: a home where somebody works with Claude Code in a terminal, as its files show it. */
import { Effect } from "effect"
import { execFileSync } from "node:child_process"
import { randomUUID } from "node:crypto"
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as NativeDisk from "../../src/services/native/NativeDisk.js"
import { namespaceHere } from "../../src/services/process/marker.js"
import { markerVariable } from "../../src/services/process/ProcessTree.js"
import type { FakeOptions } from "./fakeAdapter.js"

export const makeTerminal = (home = realpathSync(mkdtempSync(join(tmpdir(), "terminal-")))) => {
  const folder = join(home, "shop")
  const id = randomUUID()
  const projects = join(home, ".claude/projects", folder.replaceAll(/[^a-zA-Z0-9]/g, "-"))
  const path = join(projects, `${id}.jsonl`)
  mkdirSync(folder, { recursive: true })
  mkdirSync(projects, { recursive: true })
  mkdirSync(join(home, ".claude/sessions"), { recursive: true })
  let leaf: string | null = null
  /** How far the clock is off, in ms. */
  let shift = 0

  const write = (type: "user" | "assistant", message: object, uuid: string = randomUUID()) => {
    const line = {
      parentUuid: leaf,
      isSidechain: false,
      type,
      message: { role: type, ...message },
      uuid,
      timestamp: new Date(Date.now() + shift).toISOString(),
      cwd: folder,
      sessionId: id,
      entrypoint: "cli",
      gitBranch: "main"
    }
    appendFileSync(path, JSON.stringify(line) + "\n")
    leaf = uuid
  }
  const prompt = (text: string, uuid?: string) => write("user", { content: text }, uuid)
  const answer = (text: string) =>
    write("assistant", {
      id: `msg_${randomUUID()}`,
      model: "claude-x",
      content: [{ type: "text", text }],
      stop_reason: "end_turn"
    })
  const registered = join(home, ".claude/sessions", `${process.ppid}.json`)

  /** Claude Code under the relay: it writes what it is told, as in a terminal. */
  const onCommand: NonNullable<FakeOptions["onCommand"]> = (command, agent) => {
    if (command.type !== "user_message") return Effect.void
    const text = command.content.map((block) => block.type === "text" ? block.text : "").join("")
    prompt(text, command.uuid)
    answer(`relay: ${text}`)
    return agent.say(
      {
        type: "assistant_message",
        content: [{ type: "text", text: `relay: ${text}` }],
        text: `relay: ${text}`
      },
      { type: "response", text: `relay: ${text}` },
      { type: "turn_end", stop_reason: "end_turn" }
    )
  }

  /** Registers a process as Claude Code does; gives the file. */
  const register = (pid: number, status: string, more: object = {}): string => {
    const file = join(home, ".claude/sessions", `${pid}.json`)
    writeFileSync(
      file,
      JSON.stringify({
        pid,
        sessionId: id,
        cwd: folder,
        procStart: startOf(pid),
        kind: "interactive",
        status,
        ...more
      })
    )
    return file
  }

  return {
    home,
    folder,
    id,
    path,
    prompt,
    answer,
    setClock: (by: number) => {
      shift = by
    },
    /** A whole turn in the terminal. */
    turn: (text: string) => {
      prompt(text)
      answer(`terminal: ${text}`)
    },
    /** Claude Code runs in a terminal with this conversation. */
    openTerminal: (status = "idle", more: object = {}) => register(process.ppid, status, more),
    /** The agent of a relay that was killed still has it open; gives its pid. */
    leaveBehind: (): number => {
      const marker = `${namespaceHere}.4194305.1.${randomUUID()}`
      const env = { ...process.env, [markerVariable]: marker }
      const pid = Number(execFileSync("/bin/sh", ["-c", "sleep 60 > /dev/null 2>&1 & echo $!"], { env }))
      register(pid, "waiting")
      return pid
    },
    quitTerminal: () => rmSync(registered, { force: true }),
    options: {
      tool: "claude",
      onCommand,
      roots: [home],
      native_files: NativeDisk.make({ home, variables: {} })
    },
    remove: () => rmSync(home, { recursive: true })
  }
}

const startOf = (pid: number): string => {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8")
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? ""
}

/** person: somebody at a foreign front, by its own client, as a process that can be killed (`test/judges/people`). */
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { join } from "node:path"
import { createInterface } from "node:readline"
import type { Judges } from "./judges.js"

type Json = Record<string, any> // oxlint-disable-line typescript/no-explicit-any

export type FrontName = "acp" | "agui" | "chat"

export interface Person {
  readonly child: ChildProcess
  /** The first line that this holds for; fails when the process ends without one. */
  readonly until: (holds: (line: Json) => boolean) => Promise<Json>
  /** What was there in the end. */
  readonly done: () => Promise<Json>
  /** What its client, or what that has started, said on stderr: nothing, if all is well. */
  readonly complaints: () => string
  /** What it shows now. */
  readonly view: () => ReadonlyArray<Json>
  /** It waited; now it goes on. */
  readonly goOn: () => void
  /** SIGKILL, with all it has started. */
  readonly kill: () => Promise<void>
}

const alive = new Set<Person>()

/** Those a failed test has left, too. */
export const killEverybody = () => Promise.all(Array.from(alive, ({ kill }) => kill()))

/** `told`: what it is to do, as `people/person.mjs` says. */
export const startPerson = (front: FrontName, { folder, node }: Judges, told: object): Person => {
  const script = join(import.meta.dirname, `../judges/people/${front}.mjs`)
  const loader = join(folder, "node_modules/load.mjs")
  const child = spawn(node, [script, JSON.stringify({ loader, ...told })], {
    stdio: ["pipe", "pipe", "pipe"],
    detached: true
  })
  const exited = once(child, "exit")
  // Then all it has printed was read.
  const closed = once(child, "close")
  const lines: Array<Json> = []
  let complaints = ""
  child.stderr.on("data", (chunk) => (complaints += String(chunk)))
  const waiting = new Set<() => void>()
  createInterface({ input: child.stdout as NodeJS.ReadableStream }).on("line", (line) => {
    lines.push(JSON.parse(line) as Json)
    for (const look of [...waiting]) look()
  })
  const until: Person["until"] = (holds) =>
    new Promise((resolve, reject) => {
      const look = () => {
        const found = lines.find(holds)
        if (found === undefined) return
        waiting.delete(look)
        resolve(found)
      }
      waiting.add(look)
      void closed.then(() =>
        reject(new Error(`the ${front} client ended: ${JSON.stringify(lines.slice(-3))}${complaints}`))
      )
      look()
    })
  const person: Person = {
    child,
    until,
    complaints: () => complaints,
    done: () => until(({ done }) => done === true),
    view: () => (lines.findLast(({ view }) => view !== undefined)?.["view"] ?? []) as ReadonlyArray<Json>,
    goOn: () => void child.stdin?.write("go on\n"),
    kill: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return
      process.kill(-(child.pid ?? 0), "SIGKILL")
      await exited
    }
  }
  alive.add(person)
  void exited.then(() => alive.delete(person))
  return person
}

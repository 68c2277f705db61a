/**
 * People of foreign fronts, each by its own client, whom something kills: the client, the relay, or both, in the middle of
 * an answer and while a question is open. After coming back they see what an undisturbed run shows; when the relay was
 * killed, and the agent with it, all that they had been told, once and in order, that it was broken off, and the next prompt
 * is answered whole.
 */
import { mkdtempSync, realpathSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { type Daemon, startDaemon } from "../support/daemon.js"
import { coming, frontNames, missing, prompting, sessionOf } from "../support/foreignFronts.js"
import { type FrontName, killEverybody, type Person } from "../support/person.js"

type Json = Record<string, any> // oxlint-disable-line typescript/no-explicit-any
type View = ReadonlyArray<Json>

const home = realpathSync(mkdtempSync(join(tmpdir(), "ai-relay-kills-")))
const env = { PATH: process.env["PATH"] ?? "", HOME: home, LANG: "C.UTF-8" }
const prompt = "Why is the total a cent too high?"

const startRelay = (name: string, port = "0") =>
  startDaemon({ env, cwd: home, port, args: ["--root", home, "--state-dir", join(home, `state-${name}`)] })

const moments: Readonly<Record<string, (person: Person) => Promise<unknown>>> = {
  "in the middle of an answer": ({ until }) =>
    until(({ view = [] }) => (view as View).some(({ text = "" }) => (text as string).length > 20)),
  "with a question open": ({ until }) => until(({ asked }) => asked !== undefined)
}

/** Up to where somebody prompts again, and from there. */
const cut = (view: View): readonly [View, View] => {
  const again = view.findIndex(({ user }, index) => index > 0 && user !== undefined)
  return again < 0 ? [view, []] : [view.slice(0, again), view.slice(again)]
}

const wordsOf = ({ text, thought, tool, user }: Json): string => user ?? thought ?? text ?? tool

/** `less` is a beginning of `more`: the same things in the same order, of which the last may not be whole. */
const assertBegins = (less: View, more: View) => {
  assert.isAtMost(less.length, more.length)
  for (const [index, item] of less.entries()) {
    const whole = more[index] ?? {}
    assert.deepStrictEqual(Object.keys(item), Object.keys(whole), JSON.stringify([item, whole]))
    assert.isTrue(wordsOf(whole).startsWith(wordsOf(item)), JSON.stringify([item, whole]))
    if (index < less.length - 1) assert.strictEqual(wordsOf(item), wordsOf(whole))
  }
}

describe.skipIf(missing !== undefined)("people at the demo agent", () => {
  let shared: Daemon
  /** What a person sees whom nothing disturbs. */
  const undisturbed = new Map<FrontName, Promise<View>>()
  const viewOf = async (person: Person) => {
    const { failures, view } = await person.done()
    assert.deepStrictEqual(failures, [])
    return view as View
  }

  const place = (relay: Daemon) => ({ relay, tool: "demo", cwd: home })

  beforeAll(async () => {
    shared = await startRelay("shared")
    for (const front of frontNames) {
      undisturbed.set(front, viewOf(prompting(front, place(shared), "undisturbed-" + front, [prompt])))
    }
  })
  afterAll(async () => {
    await killEverybody()
    await shared.stop()
    rmSync(home, { recursive: true, force: true })
  })

  for (const front of frontNames) {
    it.concurrent(`${front}: whom nothing disturbs sees thoughts, words, tools, and a change`, async () => {
      const view = await undisturbed.get(front) as View
      for (const kind of ["user", "thought", "text", "tool"]) {
        assert.isTrue(view.some((item) => item[kind] !== undefined), kind)
      }
      assert.isAtLeast(view.length, 9)
      assert.isTrue(view.some(({ diffs = [] }) => diffs.length > 0))
    })

    for (const [when, moment] of Object.entries(moments)) {
      it.concurrent(`${front}: a client is killed ${when}; who comes next sees the same`, async () => {
        const name = `client-${front}-${when.length}`
        const first = prompting(front, place(shared), name, [prompt], { waits: true })
        const session = await sessionOf(front, first, name)
        await moment(first)
        await first.kill()
        const view = await viewOf(coming(front, place(shared), session))
        assert.deepStrictEqual(view, await undisturbed.get(front))
      })
    }
  }

  for (const [when, moment] of Object.entries(moments)) {
    it.concurrent(`the relay is killed ${when}, with and without its clients`, async () => {
      const relay = await startRelay(`killed-${when.length}`)
      const { port } = new URL(relay.url)
      const people = await Promise.all(frontNames.flatMap((front) =>
        [true, false].map(async (isKilled) => {
          const name = `relay-${front}-${isKilled}`
          const prompts = isKilled ? [prompt] : [prompt, prompt]
          const person = prompting(front, place(relay), name, prompts, { waits: true })
          const session = await sessionOf(front, person, name)
          await moment(person)
          return { front, isKilled, person, session }
        })
      ))
      await Promise.all(people.flatMap(({ isKilled, person }) => isKilled ? [person.kill()] : []))
      await relay.kill()
      const shown = people.map(({ person }) => person.view())
      const second = await startRelay(`killed-${when.length}`, port)
      await Promise.all(people.map(async ({ front, isKilled, person, session }, index) => {
        const before = shown[index] as View
        const whole = await undisturbed.get(front) as View
        if (!isKilled) person.goOn()
        const last = isKilled ? coming(front, place(second), session, [prompt]) : person
        const { failures, view } = await last.done() as { failures: ReadonlyArray<string>; view: View }
        const label = `${front}, its client ${isKilled ? "killed" : "still there"}`
        if (!isKilled) assert.isNotEmpty(failures, label)
        const [broken, again] = cut(view)
        // All that had been told, once, and no more than there was to tell.
        assertBegins(before, broken)
        assertBegins(broken, whole)
        assert.deepStrictEqual(again, whole, label)
      }))
      await second.stop()
    })
  }
})

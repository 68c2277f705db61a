/** mutantTests: stands for vitest in the bundles of mutants.mjs: it keeps the tests, and runs them as often as there are mutants. */
import * as chai from "chai"
import { Effect, Layer } from "effect"
import { TestClock, TestConsole } from "effect/testing"
import { readFileSync } from "node:fs"

export const { assert } = chai
export const expect = (value) =>
  Object.assign(chai.expect(value), {
    toMatchFileSnapshot: async (path) => assert.strictEqual(value, readFileSync(path, "utf8"))
  })

const env = Layer.mergeAll(TestConsole.layer, TestClock.layer())
const tests = []
let titles = []
let hooks = { before: [], after: [] }

const inSuite = (title, body) => {
  const [outerTitles, outerHooks] = [titles, hooks]
  titles = [...titles, title]
  hooks = { before: [...hooks.before], after: [...hooks.after] }
  body()
  titles = outerTitles
  hooks = outerHooks
}
const named = (name, args) => name.replaceAll("%s", () => String(Array.isArray(args) ? args[0] : args))
const bodyOf = (given) => given.find((one) => typeof one === "function")

const register = (run) => {
  const add = (name, ...given) => {
    const mine = hooks
    const body = bodyOf(given)
    tests.push({ name: [...titles, name].join(" "), run: () => run(body), hooks: mine })
  }
  const each = (cases) => (name, ...given) => {
    for (const one of cases) {
      const body = bodyOf(given)
      add(named(name, one), () => Array.isArray(one) && run === plainly ? body(...one) : body(one))
    }
  }
  return Object.assign(add, {
    each,
    for: each,
    skip: () => {},
    skipIf: (no) => no ? () => {} : add,
    runIf: (yes) => yes ? add : () => {}
  })
}

const plainly = (body) => body()
const effectively = (provide) => (body) =>
  Effect.runPromise(provide(Effect.scoped(Effect.suspend(() => body({})))))
export const it = Object.assign(register(plainly), {
  effect: register(effectively(Effect.provide(env))),
  live: register(effectively((effect) => effect))
})
export const test = it
export const describe = Object.assign(
  (title, ...given) => inSuite(title, bodyOf(given)),
  {
    each: (cases) => (title, ...given) => {
      for (const one of cases) {
        inSuite(named(title, one), () => Array.isArray(one) ? bodyOf(given)(...one) : bodyOf(given)(one))
      }
    },
    skipIf: (no) => no ? () => {} : (title, ...given) => inSuite(title, bodyOf(given))
  }
)
export const beforeEach = (hook) => void hooks.before.push(hook)
export const afterEach = (hook) => void hooks.after.push(hook)
/** What is set up for a file is set up once, and stays. */
let setUp = Promise.resolve()
export const beforeAll = (hook) => void (setUp = setUp.then(hook))
export const afterAll = () => {}

let active = -1
let reached = new Set()
globalThis.__m = (id) => {
  reached.add(id)
  return id === active
}

const passes = async ({ hooks: { after, before }, run }, patience) => {
  let timer
  const late = new Promise((_, reject) => (timer = setTimeout(() => reject(new Error("late")), patience)))
  try {
    for (const hook of before) await hook()
    await Promise.race([run(), late])
    return true
  } catch (error) {
    if (process.env.MUTANTS_LOUD) console.error(error)
    return false
  } finally {
    clearTimeout(timer)
    for (const hook of after) await hook()
  }
}

/** A fiber or a promise that a change has broken is the change's doing: the test that waits for it fails. */
process.on("uncaughtException", () => {}).on("unhandledRejection", () => {})
const tell = (message) => new Promise((resolve) => process.send(message, resolve))

setImmediate(async () => {
  const [first, end] = process.env.MUTANTS.split("-").map(Number)
  await setUp
  const failed = []
  const by = new Map()
  for (const one of tests) {
    reached = new Set()
    const began = performance.now()
    if (!(await passes(one, 60_000))) {
      failed.push(one.name)
      continue
    }
    const ms = performance.now() - began
    for (const id of reached) by.set(id, [...by.get(id) ?? [], { one, ms }])
  }
  await tell({ type: "unchanged", failed })
  for (let id = first; id < end; id++) {
    // The quick ones first; what takes long is asked last.
    const asked = (by.get(id) ?? []).toSorted((a, b) => a.ms - b.ms)
    const patience = 30_000 + 5 * asked.reduce((sum, { ms }) => sum + ms, 0)
    await tell({ type: "trying", id, patience })
    active = id
    let verdict = asked.length === 0 ? "unreached" : "survived"
    for (const { ms, one } of asked) {
      if (await passes(one, 3000 + 10 * ms)) continue
      verdict = "noticed"
      break
    }
    active = -1
    await tell({ type: "verdict", id, verdict })
  }
  process.exit(0)
})

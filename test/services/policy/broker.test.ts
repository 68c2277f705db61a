/** What the rules decide is settled at once, and journaled with the rule's name; "for this session" is kept. */
import { assert, describe, it } from "@effect/vitest"
import { Ajv } from "ajv"
import { Effect, Fiber, type Scope, Stream } from "effect"
import { policySchema } from "../../../src/schema/contracts/policySchema.js"
import {
  type PermissionOption,
  type PermissionRequest,
  RequestId,
  SessionId
} from "../../../src/schema/index.js"
import { EventLog } from "../../../src/services/log/EventLog.js"
import * as Policy from "../../../src/services/policy/Policy.js"
import * as PermissionBroker from "../../../src/services/session/PermissionBroker.js"

const rules: Policy.PolicyFile = {
  rules: [
    { name: "no pushing", verdict: "deny", commands: [["git", "push"]], by: "anna" },
    { name: "looking", verdict: "allow", commands: [["git", "status"]], until: "2999-01-01T00:00:00Z" },
    { name: "mail", verdict: "ask", commands: [["mail"]] }
  ]
}
const session: PermissionOption = {
  option_id: "allow_session",
  name: "Allow for this session",
  kind: "allow_always"
}
const ask = (id: string, command: string, more: object = {}): PermissionRequest => ({
  type: "permission_request",
  request_id: RequestId.make(id),
  tool: "Bash",
  args: { command, description: id },
  metadata: { kind: "tool", options: [session], ...more }
})

const brokerOf = (file: Policy.PolicyFile) =>
  PermissionBroker.make(
    "1 minute",
    () => {},
    (asked) => Policy.decide(file, asked, { agent: "claude", folder: "/srv", now: 0 })
  )

const withLog = <A, E>(body: Effect.Effect<A, E, EventLog | Scope.Scope>) =>
  Effect.provide(body, EventLog.layer(SessionId.make("s")))

const logged = (n: number) =>
  Effect.flatMap(EventLog, (log) => Stream.runCollect(Stream.take(log.tail(0), n)))

describe("a request the rules decide", () => {
  it.effect("is settled at once, and told with the rule's name", () =>
    withLog(Effect.gen(function*() {
      const broker = yield* brokerOf(rules)
      assert.include(yield* broker.request(ask("a", "git status")), { behavior: "allow" })
      const refused = yield* broker.request(ask("b", "git push"))
      assert.include(refused, {
        behavior: "deny",
        message: "The operator's rule \"no pushing\" forbids this."
      })
      assert.lengthOf(broker.pending(), 0)
      const events = yield* logged(4)
      assert.deepStrictEqual(
        events.map(({ type }) => type),
        ["permission_request", "control_response", "permission_request", "control_response"]
      )
      assert.deepInclude(events[0]?.metadata, { policy: { verdict: "allow", rule: "looking" } })
      assert.deepInclude(events[1], { status: "allow", metadata: { by: { policy: "looking" } } })
      assert.deepInclude(events[3]?.metadata, { by: { policy: "no pushing" } })
    })))

  it.effect("that they want asked, or that is not understood, waits for a person and says why", () =>
    withLog(Effect.gen(function*() {
      const broker = yield* brokerOf(rules)
      for (const command of ["mail x", "git status $X"]) {
        yield* Effect.forkChild(broker.request(ask(command, command)))
      }
      const [mail, unclear] = yield* logged(2)
      assert.deepInclude(mail?.metadata, { policy: { verdict: "ask", rule: "mail" } })
      assert.deepInclude(unclear?.metadata, { policy: { verdict: "ask", unclear: "it uses a variable" } })
      assert.lengthOf(broker.pending(), 2)
    })))
})

describe("what is allowed for the session where the agent remembers nothing", () => {
  const allowOnce = (
    file: Policy.PolicyFile,
    first: PermissionRequest,
    answer: object = { scope: "session" }
  ) =>
    Effect.gen(function*() {
      const broker = yield* brokerOf(file)
      const asking = yield* Effect.forkChild(broker.request(first))
      const [asked] = yield* logged(1)
      yield* broker.respond({
        type: "permission_response",
        request_id: first.request_id,
        behavior: "allow",
        ...answer
      })
      yield* Fiber.join(asking)
      return { broker, asked }
    })
  const none: Policy.PolicyFile = { rules: [] }

  it.effect("is not asked again, and the request says exactly what it allows", () =>
    withLog(Effect.gen(function*() {
      const { asked, broker } = yield* allowOnce(none, ask("a", "make"))
      assert.deepInclude(asked?.metadata, {
        session_grant: "The same call again: Bash with exactly this input, until the session ends."
      })
      assert.include(yield* broker.request(ask("b", "make")), { behavior: "allow" })
      assert.deepInclude((yield* logged(4)).at(-1)?.metadata, { by: { policy: "session:a" } })
      yield* Effect.forkChild(broker.request(ask("c", "make install")))
      yield* logged(5)
      assert.lengthOf(broker.pending(), 1)
    })))

  it.effect("is left to an agent that remembers, to one answer, and to the input that was asked", () =>
    withLog(Effect.gen(function*() {
      const cases: ReadonlyArray<readonly [object, object]> = [
        [{ permission_suggestions: [{ type: "addRules" }] }, { scope: "session" }],
        [{ options: [{ ...session, option_id: "always" }] }, { scope: "session" }],
        [{}, {}],
        [{}, { scope: "session", updatedInput: { command: "make other" } }]
      ]
      for (const [metadata, answer] of cases) {
        yield* withLog(Effect.gen(function*() {
          const { broker } = yield* allowOnce(none, ask("a", "make", metadata), answer)
          yield* Effect.forkChild(broker.request(ask("b", "make", metadata)))
          yield* logged(3)
          assert.lengthOf(broker.pending(), 1, JSON.stringify([metadata, answer]))
        }))
      }
    })))

  it.effect("does not go over a rule that denies", () =>
    withLog(Effect.gen(function*() {
      const rule: { verdict: Policy.Verdict } = { verdict: "ask" }
      const file: Policy.PolicyFile = {
        rules: [{
          name: "r",
          commands: [["make"]],
          get verdict() {
            return rule.verdict
          }
        }]
      }
      const { broker } = yield* allowOnce(file, ask("a", "make"))
      rule.verdict = "deny"
      assert.include(yield* broker.request(ask("b", "make")), { behavior: "deny" })
    })))

  it.effect("tells what ran instead, when the input was changed", () =>
    withLog(Effect.gen(function*() {
      const updatedInput = { command: "make other" }
      yield* allowOnce(none, ask("a", "make"), { updatedInput })
      assert.deepInclude((yield* logged(2)).at(-1)?.metadata, { updated_input: updatedInput })
    })))
})

describe("an input that a person puts in place of the one that was asked about", () => {
  it.effect("is bound by the rules that deny: the answer is refused, and the question stays open", () =>
    withLog(Effect.gen(function*() {
      const broker = yield* brokerOf(rules)
      const asked = yield* Effect.forkChild(broker.request(ask("a", "make")))
      yield* logged(1)
      const answer = {
        type: "permission_response",
        request_id: RequestId.make("a"),
        behavior: "allow"
      } as const
      for (const scope of ["once", "session"] as const) {
        const refused = yield* Effect.flip(
          broker.respond({ ...answer, scope, updatedInput: { command: "make; git push --force" } })
        )
        assert.strictEqual(refused._tag, "InputForbidden")
        assert.include(refused.message, "no pushing")
        assert.lengthOf(broker.pending(), 1)
      }
      yield* broker.respond({ ...answer, updatedInput: { command: "make test" } })
      assert.deepInclude(yield* Fiber.join(asked), { updatedInput: { command: "make test" } })
    })))
})

describe("the rules' JSON Schema", () => {
  it("takes what the relay takes, and refuses what it refuses", () => {
    const validate = new Ajv({ strict: false }).compile(policySchema())
    assert.isTrue(validate(rules), JSON.stringify(validate.errors))
    for (
      const bad of [{}, { rules: [{ name: "a" }] }, { rules: [{ name: "a", verdict: "allow", path: [] }] }, {
        rules: [],
        other: 1
      }]
    ) {
      assert.isFalse(validate(bad))
    }
  })
})

/**
 * demoScript: the demo agent's script: it fixes a rounding error in a fictional shop and shows everything a
 * page can display. It uses no model or network and touches no file.
 */
import { RequestId } from "../../schema/index.js"
import { makeRecorder, type Recorder } from "./recorder.js"
import type { Recorded } from "./Transcript.js"

type Step = "pending" | "in_progress" | "completed"

const marks = { pending: "[ ]", in_progress: "[>]", completed: "[x]" }
const steps = [
  "Reproduce the wrong total",
  "Find where cents get lost",
  "Round once, at the end",
  "Run the tests"
]

const plan = ({ say }: Recorder, ...states: ReadonlyArray<Step>) => {
  const entries = steps.map((content, index) => ({ content, status: states[index] ?? "pending" }))
  const text = entries.map(({ content, status }) => `${marks[status]} ${content}`).join("\n")
  say({ type: "status", status: "plan", text, metadata: { entries } }, 0.2)
}

const source = `export const total = (items: Item[]): number => {
  let sum = 0
  for (const item of items) {
    sum += Math.round(item.price * item.quantity)
  }
  return Math.round(sum * (1 + taxRate))
}
`

const mended = `export const total = (items: ReadonlyArray<Item>): number => {
  const net = items.reduce((sum, { price, quantity }) => sum + price * quantity, 0)
  const gross = net * (1 + taxRate)
  return Math.round(gross)
}
`

const diff = `--- /shop/src/total.ts
+++ /shop/src/total.ts
@@ -1,11 +1,9 @@
 import { taxRate } from "./tax.js"
 import type { Item } from "./Item.js"
 
-/** The total of a cart. */
-export const total = (items: Item[]): number => {
-  let sum = 0
-  for (const item of items) {
-    sum += Math.round(item.price * item.quantity)
-  }
-  return Math.round(sum * (1 + taxRate))
+/** The total of a cart in cents, rounded once. */
+export const total = (items: ReadonlyArray<Item>): number => {
+  const net = items.reduce((sum, { price, quantity }) => sum + price * quantity, 0)
+  const gross = net * (1 + taxRate)
+  return Math.round(gross)
 }
`

const failing = `> shop@2.4.0 test
> vitest run

 ✓ test/cart.test.ts (12 tests) 31ms
 ❯ test/total.test.ts (8 tests | 1 failed) 18ms
   × adds a cart of fractions
     → expected 1073 to be 1072

 Tests  1 failed | 19 passed (20)
`

const passing = `> shop@2.4.0 test
> vitest run

 ✓ test/cart.test.ts (12 tests) 29ms
 ✓ test/total.test.ts (8 tests) 16ms

 Tests  20 passed (20)
`

const answer =
  `The total is right again. It was **rounded twice**: each line to whole cents, then the sum once more.

| cart | before | after |
|---|---:|---:|
| 3 × 3.35 | 1073 | 1072 |
| 1 × 9.99 | 1069 | 1069 |

Now there is one \`Math.round\`, where the amount leaves the function:

\`\`\`ts
const gross = net * (1 + taxRate)
return Math.round(gross)
\`\`\`

All 20 tests pass. *This was a recording: no file was changed. Install an agent, and the same page talks to it.*`

const usage = {
  input_tokens: 18_420,
  output_tokens: 1_236,
  cached_input_tokens: 15_900,
  context_tokens: 23_800,
  context_window: 200_000,
  cost_usd: 0.0431,
  duration_ms: 24_600
}

const edit = RequestId.make("demo-edit")
const question = RequestId.make("demo-question")

const finish = ({ say, write }: Recorder, text: string) => {
  write(text)
  say({ type: "response", text })
  say({ type: "turn_end", stop_reason: "end_turn", usage, context_pct: 12 })
}

const main = (): ReadonlyArray<Recorded> => {
  const recorder = makeRecorder()
  const { call, done, print, say, write } = recorder
  say({ type: "turn_start" })
  plan(recorder)
  write(
    "The report says that some carts are a cent too high. A cent suggests rounding. Before I read code I want to see it "
      + "fail, so the test suite comes first; then I look at where prices are added up.",
    "reasoning"
  )
  write("I'll reproduce it first, then look at how the total is made.")
  plan(recorder, "in_progress")
  call("Bash", "demo-test", { command: "npm test", description: "Run the test suite" })
  print("demo-test", failing)
  done("demo-test", failing, { exit_code: 1 })
  plan(recorder, "completed", "in_progress")
  call("Read", "demo-read", { file_path: "/shop/src/total.ts" })
  done("demo-read", source)
  write("There it is: every line is rounded, and then the sum is rounded **again**.")
  plan(recorder, "completed", "completed", "in_progress")
  const questions = [{
    id: "unit",
    question: "What should the function return?",
    header: "Unit",
    multiSelect: false,
    options: [
      { label: "Whole cents", description: "As the callers expect today" },
      { label: "A decimal amount", description: "The callers must round" }
    ]
  }]
  say({
    type: "permission_request",
    request_id: question,
    tool: "AskUserQuestion",
    args: { questions },
    metadata: { kind: "question" }
  }, 0.3)
  say({ type: "control_response", request_id: question, status: "allow" })
  write("Thanks. The smallest change that keeps the callers as they are:")
  const args = { file_path: "/shop/src/total.ts", old_string: source, new_string: mended }
  call("Edit", "demo-edit", args)
  say({
    type: "permission_request",
    request_id: edit,
    tool: "Edit",
    args,
    tool_use_id: "demo-edit",
    text: "Round once, at the end",
    metadata: {
      kind: "tool",
      options: [
        { option_id: "allow", name: "Allow once", kind: "allow_once" },
        { option_id: "session", name: "Allow for this session", kind: "allow_always" },
        { option_id: "deny", name: "Deny", kind: "reject_once" }
      ]
    }
  }, 0.3)
  say({ type: "control_response", request_id: edit, status: "allow" })
  done("demo-edit", "The file /shop/src/total.ts has been updated.")
  say({ type: "file_diff", file_path: "/shop/src/total.ts", diff, tool_use_id: "demo-edit" })
  plan(recorder, "completed", "completed", "completed", "in_progress")
  call("Bash", "demo-again", { command: "npm test", description: "Run the test suite again" })
  print("demo-again", passing)
  done("demo-again", passing)
  plan(recorder, "completed", "completed", "completed", "completed")
  finish(recorder, answer)
  return recorder.recording
}

const denied = (): ReadonlyArray<Recorded> => {
  const recorder = makeRecorder()
  recorder.done("demo-edit", "The user denied this.", { exit_code: 1 })
  finish(
    recorder,
    "Then I leave the file as it is. The fix would be to round once, where the amount leaves `total`; say a word and I do it."
  )
  return recorder.recording
}

const unanswered = (): ReadonlyArray<Recorded> => {
  const recorder = makeRecorder()
  finish(recorder, "No answer is an answer, too: I stop here and change nothing. Ask again to see the rest.")
  return recorder.recording
}

export const demoRecording = main()

export const demoIfDenied: Readonly<Record<string, ReadonlyArray<Recorded>>> = {
  [edit]: denied(),
  [question]: unanswered()
}

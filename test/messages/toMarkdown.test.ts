import { assert, describe, it } from "@effect/vitest"
import type { RelayEvent } from "../../src/client/browser.js"
import { empty, reduce, toMarkdown } from "../../src/messages/index.js"

const at = (...events: ReadonlyArray<object>) =>
  // What a relay sends is an event.
  reduce(empty, events.map((event, index) => ({ ...event, seq: index + 1, ts: index }) as RelayEvent))

describe("a conversation as Markdown", () => {
  it("has prompts, answers, tools with their changes, and no code that closes its fence early", () => {
    const text = toMarkdown(at(
      { type: "turn_start", text: "Mend it\nplease", turn: 1 },
      {
        type: "tool_call",
        tool: "Bash",
        tool_use_id: "a",
        args: { command: "npm test\nsecond line" },
        turn: 1
      },
      {
        type: "tool_result",
        tool_use_id: "a",
        status: "error",
        text: "```\nfailed\n```",
        content: "",
        turn: 1
      },
      { type: "tool_call", tool: "Edit", tool_use_id: "b", args: { file_path: "/srv/a.ts" }, turn: 1 },
      { type: "file_diff", file_path: "/srv/a.ts", diff: "-a\n+b\n", tool_use_id: "b", turn: 1 },
      { type: "tool_result", tool_use_id: "b", status: "ok", text: "ok", content: "", turn: 1 },
      { type: "assistant_message", content: [], text: "Done.", turn: 1 },
      { type: "turn_end", stop_reason: "end_turn", turn: 1 }
    ))
    assert.strictEqual(
      text,
      "# \n\n> Mend it\n> please\n\n**Bash** `npm test` (failed)\n\n````\n```\nfailed\n```\n````\n\n"
        + "**Edit** `/srv/a.ts`\n\n```diff\n-a\n+b\n```\n\nDone.\n"
    )
  })
})

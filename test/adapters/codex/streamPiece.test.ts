import { assert, describe, it } from "@effect/vitest"
import { readStreamPiece, type StreamPiece } from "../../../src/adapters/codex/streamPiece.js"

const line = (method: string, params: object) =>
  Buffer.from(JSON.stringify({ method, params: { threadId: "t", turnId: "u", ...params }, emittedAtMs: 1 }))
const read = (bytes: Buffer) => {
  const piece = readStreamPiece(bytes)
  return piece && Buffer.from(piece.text, piece.encoding).toString("utf8")
}

describe("readStreamPiece", () => {
  it("reads every text as it was meant, whatever its characters", () => {
    for (
      const delta of [
        "plain",
        "",
        "äöü €",
        "漢字 🙂",
        "a \"quote\" \\ back\nline\ttab",
        "\u2028 \u0000",
        "\ud83d"
      ]
    ) {
      const bytes = line("item/agentMessage/delta", { itemId: "m", delta })
      assert.strictEqual(read(bytes), JSON.parse(bytes.toString()).params.delta.toWellFormed?.() ?? delta)
    }
    assert.strictEqual(
      read(
        Buffer.from(
          `{"method":"item/agentMessage/delta","params":{"itemId":"m","delta":"\\u00e4\\ud83d\\ude42"}}`
        )
      ),
      "ä🙂"
    )
  })

  it("tells what kind of piece it is, of which item and thread", () => {
    const kinds: Record<string, StreamPiece["kind"]> = {
      "item/agentMessage/delta": "text",
      "item/reasoning/summaryTextDelta": "reasoning",
      "item/reasoning/textDelta": "reasoning",
      "item/plan/delta": "reasoning",
      "item/commandExecution/outputDelta": "output"
    }
    for (const [method, kind] of Object.entries(kinds)) {
      assert.deepStrictEqual(readStreamPiece(line(method, { itemId: "i", delta: "x" })), {
        kind,
        thread: "t",
        item: "i",
        text: "x",
        encoding: "latin1"
      })
    }
  })

  it("leaves every other line alone", () => {
    const others = [
      "",
      "{}",
      "panic",
      "{\"method\":\"item/agentMessage/delta\"",
      "{\"method\":\"item/agentMessage/delta\"}",
      "{\"method\":\"item/agentMessage/delta\",\"params\":null}",
      "{\"method\":\"item/agentMessage/delta\",\"params\":{\"itemId\":\"m\",\"delta\":7}}",
      "{\"method\":\"item/agentMessage/delta\",\"params\":{\"delta\":\"x\"}}",
      "{\"method\":\"item/started\",\"params\":{\"itemId\":\"m\",\"delta\":\"x\"}}",
      "{\"method\":\"item/constructor\",\"params\":{\"itemId\":\"m\",\"delta\":\"x\"}}",
      "{\"id\":1,\"method\":\"item/agentMessage/delta\",\"params\":{\"itemId\":\"m\",\"delta\":\"x\"}}"
    ]
    for (const other of others) assert.isUndefined(readStreamPiece(Buffer.from(other)), other)
    const broken = Buffer.concat([
      Buffer.from("{\"method\":\"item/agentMessage/delta\",\"params\":{\"itemId\":\"m\",\"delta\":\""),
      Buffer.from([0xff]),
      Buffer.from("\"}}")
    ])
    assert.isUndefined(readStreamPiece(broken))
  })
})

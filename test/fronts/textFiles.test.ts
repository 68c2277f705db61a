import { assert, describe, it } from "@effect/vitest"
import { toContent } from "../../src/fronts/acp/content.js"
import * as PathMap from "../../src/fronts/acp/PathMap.js"
import * as Input from "../../src/fronts/agui/input.js"
import { contentOf } from "../../src/fronts/chat/parts.js"
import { isSilent } from "../../src/schema/index.js"

const binary = Buffer.from([0x25, 0x50, 0x44, 0x46, 0xff, 0x00])

/** What each front makes of a file: its text, or nothing but words for the person. */
const fronts: Readonly<Record<string, (type: string, bytes: Buffer) => unknown>> = {
  chat: (mediaType, bytes) =>
    contentOf({
      parts: [{
        type: "file",
        filename: "f",
        mediaType,
        url: `data:${mediaType || "application/octet-stream"};base64,${bytes.toString("base64")}`
      }]
    }),
  "ag-ui 1.0": (mimeType, bytes) =>
    inRun({
      type: "document",
      source: { type: "data", value: bytes.toString("base64"), mimeType },
      metadata: { filename: "f" }
    }),
  "ag-ui 0.0": (mimeType, bytes) =>
    inRun({ type: "binary", mimeType, data: bytes.toString("base64"), filename: "f" }),
  acp: (mimeType, bytes) =>
    toContent(
      [{ type: "resource", resource: { uri: "f", mimeType, blob: bytes.toString("base64") } }],
      PathMap.make([])
    )
}
const inRun = (part: object) => {
  const found = Input.parse({
    threadId: "t",
    runId: "r",
    messages: [{ id: "u", role: "user", content: [part] }]
  })
  return typeof found === "string" ? found : found.prompt?.content
}

for (const [name, read] of Object.entries(fronts)) {
  describe(`a file in a prompt, ${name}`, () => {
    it("is given to the agent if it is text, whatever the platform calls it", () => {
      const types = [
        "text/plain; charset=utf-8",
        "TEXT/X-PYTHON",
        "application/json",
        "application/yaml",
        "image/svg+xml"
      ]
      // Browsers know neither `Makefile` nor TypeScript.
      for (const type of [...types, "", "application/octet-stream", "video/mp2t"]) {
        const content = read(type, Buffer.from("let café = `1`")) as ReadonlyArray<{ text: string }>
        assert.isNotString(content, type)
        assert.isFalse(isSilent(content as never), type)
        assert.match(content[0]?.text ?? "", /^\n?f:\n```\nlet café = `1`\n```\n?$/, type)
      }
    })

    it("is refused in words if it is not", () => {
      for (
        const type of ["application/pdf", "application/zip", "video/mp4", "", "application/octet-stream"]
      ) {
        assert.match(String(read(type, binary)), /send/, type)
      }
    })
  })
}

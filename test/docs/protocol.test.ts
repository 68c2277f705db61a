/** docs/protocol.md is what web developers go by: every example must be true, and nothing of the schema be left out. */
import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import { readFileSync } from "node:fs"
import { Script } from "node:vm"
import {
  ClientCommand,
  decodeFrame,
  decodeHandshake,
  ErrorCode,
  EventBody,
  HandshakeFields,
  PtyOptions,
  RelayEvent,
  SnowflakeOptions
} from "../../src/schema/index.js"

const page = readFileSync(new URL("../../docs/protocol.md", import.meta.url), "utf8")

/** What stands under each `## ` heading. */
const sections = new Map(
  page.split(/^## /m).slice(1).map((section) => {
    const end = section.indexOf("\n")
    return [section.slice(0, end), section.slice(end)] as const
  })
)
const section = (title: string): string => {
  const found = sections.get(title)
  assert.isDefined(found, `docs/protocol.md has no section "${title}"`)
  return found ?? ""
}
const fences = (text: string, language: string): ReadonlyArray<string> =>
  [...text.matchAll(/^```(\w*)\n([^]*?)\n```$/gm)].filter(([, found]) => found === language)
    .map(([, , code]) => code ?? "")

const handshakes = fences(section("Handshake"), "json")
const commands = fences(section("Commands"), "json")
const events = fences(section("Events"), "json")

const typesOf = (frames: ReadonlyArray<string>) =>
  new Set(frames.map((frame) => (JSON.parse(frame) as { type?: string }).type))
/** The words in backticks that begin the rows of a table. */
const rowsOf = (text: string): ReadonlyArray<string> =>
  [...text.matchAll(/^\| (`[^|]*) \|/gm)].flatMap(([, cell]) =>
    [...(cell ?? "").matchAll(/`(\w+)`/g)].map(([, word]) => word ?? "")
  )

describe("docs/protocol.md", () => {
  for (const frame of handshakes) {
    it(`shows a good handshake: ${frame.slice(0, 60)}`, () => {
      assert.isTrue(Result.isSuccess(decodeHandshake(frame)), String(decodeHandshake(frame)))
    })
  }

  for (const frame of commands) {
    it(`shows a good command: ${frame.slice(0, 60)}`, () => {
      assert.isTrue(Result.isSuccess(decodeFrame(frame)), String(decodeFrame(frame)))
    })
  }

  for (const frame of events) {
    it(`shows an event as the relay sends it: ${frame.slice(0, 60)}`, () => {
      const event: unknown = JSON.parse(frame)
      const decoded = Schema.decodeUnknownSync(RelayEvent)(event, { onExcessProperty: "error" })
      assert.deepStrictEqual<unknown>(decoded, event)
    })
  }

  it("keeps its examples where these tests look for them", () => {
    assert.strictEqual(fences(page, "json").length, handshakes.length + commands.length + events.length)
  })

  it("has an example of every command", () => {
    const shown = typesOf(commands)
    for (const command of ClientCommand.members) {
      const type = command.fields.type.literal
      assert.isTrue(shown.has(type), `no example of the command ${type}`)
    }
    assert.isTrue(shown.has(undefined), "no example of {\"text\":…}")
  })

  it("has an example of every event, under its name", () => {
    const shown = typesOf(events)
    for (const event of EventBody.members) {
      const type = event.fields.type.literal
      assert.isTrue(shown.has(type), `no example of the event ${type}`)
      assert.include(section("Events"), `**\`${type}\`**: `)
    }
  })

  it("explains every field of the handshake", () => {
    const text = section("Handshake")
    assert.includeMembers([...rowsOf(text)], Object.keys(HandshakeFields.fields))
    for (const option of [...Object.keys(SnowflakeOptions.fields), ...Object.keys(PtyOptions.fields)]) {
      assert.include(text, `\`${option}\``)
    }
  })

  it("says what to do about every error code, and about no other", () => {
    assert.sameMembers([...rowsOf(section("Error codes"))], [...ErrorCode.literals])
  })

  it("shows a browser how to, in JavaScript that parses", () => {
    const [example] = fences(page, "js")
    assert.isDefined(example)
    assert.doesNotThrow(() => new Script(example ?? ""))
  })

  it("links only to headings it has", () => {
    const anchors = [...page.matchAll(/^#+ (.*)$/gm)].map(([, title]) =>
      (title ?? "").toLowerCase().replaceAll(/[^\w -]/g, "").replaceAll(" ", "-")
    )
    for (const [, anchor] of page.matchAll(/\]\(#([^)]*)\)/g)) assert.include(anchors, anchor)
  })
})

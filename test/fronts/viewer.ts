/** viewer: a client as strict as the strictest: it throws at an operation out of order, and says what it shows. */
import type { Op, SettledOp } from "../../src/fronts/Op.js"

interface Text {
  readonly kind: string
  readonly parent: string | undefined
  text: string
  isOpen: boolean
}

interface Tool {
  readonly parent: string | undefined
  tool: string
  args: unknown
  diffs: Array<string>
  result?: { readonly ok: boolean; readonly text: string; readonly unfinished: boolean }
}

export const make = () => {
  const texts = new Map<string, Text>()
  const tools = new Map<string, Tool>()
  const prompts = new Map<string, string>()
  const asks = new Map<string, SettledOp["status"] | "open">()
  const turns: Array<string> = []
  let plan: ReadonlyArray<unknown> = []
  let turn: number | undefined

  const check = (holds: boolean, op: Op) => {
    if (!holds) throw new Error(`out of order: ${JSON.stringify(op)}`)
  }
  const openText = (id: string, op: Op): Text => {
    const found = texts.get(id)
    check(found?.isOpen === true, op)
    return found as Text
  }
  const openTool = (id: string, op: Op): Tool => {
    const found = tools.get(id)
    check(found !== undefined && found.result === undefined, op)
    return found as Tool
  }
  const nothingIsOpen = (op: Op) => {
    for (const text of texts.values()) check(!text.isOpen, op)
  }

  const show = (op: Op): void => {
    switch (op.type) {
      case "turn_start":
        check(turn === undefined, op)
        turn = op.turn
        if (op.text !== undefined) prompts.set(`${op.turn}.u`, op.text)
        return
      case "user":
        check(!prompts.has(op.id), op)
        return void prompts.set(op.id, op.text)
      case "start": {
        const before = texts.get(op.id)
        check(op.again === (before !== undefined) && before?.isOpen !== true, op)
        return void texts.set(op.id, {
          kind: op.kind,
          parent: op.parent,
          text: before?.text ?? "",
          isOpen: true
        })
      }
      case "delta":
        check(op.text !== "", op)
        openText(op.id, op).text += op.text
        return
      case "end": {
        const text = openText(op.id, op)
        text.isOpen = false
        text.text = op.text
        return
      }
      case "tool_call": {
        const before = tools.get(op.id)
        check(op.known === (before !== undefined && before.result === undefined), op)
        return void tools.set(op.id, {
          parent: op.parent,
          tool: op.tool,
          args: op.args,
          diffs: before?.diffs ?? []
        })
      }
      case "output_delta":
      case "progress":
        return void openTool(op.id, op)
      case "tool_result": {
        const { ok, text, unfinished } = op
        const tool = tools.get(op.id)
        check(tool !== undefined && (tool.result === undefined || !unfinished), op)
        if (tool !== undefined) tool.result = { ok, text, unfinished }
        return
      }
      case "file_diff":
        if (op.id !== undefined) tools.get(op.id)?.diffs.push(op.diff)
        return
      case "ask":
        nothingIsOpen(op)
        openTool(op.id, op)
        return void asks.set(op.request_id, "open")
      case "settled":
        check(asks.get(op.request_id) === "open" && tools.has(op.id), op)
        return void asks.set(op.request_id, op.status)
      case "plan":
        plan = op.entries
        return
      case "turn_end":
        check(turn === op.turn, op)
        nothingIsOpen(op)
        for (const tool of tools.values()) check(tool.result !== undefined, op)
        for (const status of asks.values()) check(status !== "open", op)
        turns.push(`${op.turn} ${op.stop}`)
        turn = undefined
        return
      case "session_end":
        return nothingIsOpen(op)
    }
  }

  return {
    show,
    texts: () => texts,
    tools: () => tools,
    /** What stays on the screen, as JSON: pieces of running tools' output do not. */
    seen: () =>
      JSON.stringify(
        {
          prompts: Object.fromEntries(prompts),
          texts: Object.fromEntries(
            [...texts].map(([id, { kind, parent, text }]) => [id, { kind, parent, text }]).toSorted()
          ),
          tools: Object.fromEntries(tools),
          asks: Object.fromEntries(asks),
          turns,
          plan
        },
        null,
        1
      )
  }
}

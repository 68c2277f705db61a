/** editor: what a client of ACP shows of a session's updates; it throws at one for a tool it was not told of. */
type Fields = Record<string, any> // oxlint-disable-line typescript/no-explicit-any

export interface Editor {
  readonly take: (update: Fields) => void
  /** All that stays, in words. */
  readonly seen: () => string
}

const kinds: Readonly<Record<string, string>> = {
  user_message_chunk: "user",
  agent_message_chunk: "agent",
  agent_thought_chunk: "thought"
}

export const make = (): Editor => {
  const shown = new Map<string, Fields>()
  let plan: unknown

  const take = (update: Fields) => {
    const { _meta, sessionUpdate, ...fields } = update
    const kind = kinds[sessionUpdate]
    if (kind !== undefined) {
      const key = `${kind} ${fields["messageId"]}`
      const before = shown.get(key)?.["text"] ?? ""
      shown.set(key, { text: before + fields["content"].text })
      return
    }
    if (sessionUpdate === "plan") plan = fields["entries"]
    if (sessionUpdate === "notice" || sessionUpdate === "compaction_update") {
      shown.set(`${sessionUpdate} ${shown.size}`, fields)
    }
    if (sessionUpdate !== "tool_call" && sessionUpdate !== "tool_call_update") return
    const key = `tool ${fields["toolCallId"]}`
    if (sessionUpdate === "tool_call") shown.set(key, { terminal: "" })
    const tool = shown.get(key)
    if (tool === undefined) throw new Error(`not told of: ${JSON.stringify(update)}`)
    const { data = "" } = _meta?.terminal_output ?? {}
    const exit = _meta?.terminal_exit
    shown.set(key, {
      ...tool,
      ...fields,
      terminal: (tool["terminal"] as string) + (data as string),
      ...(exit !== undefined && { exit })
    })
  }

  /** What a tool printed, in a terminal or beside it. */
  const printed = ({ content = [], terminal, ...tool }: Fields): Fields => {
    const isTerminal = (content as ReadonlyArray<Fields>).some(({ type }) => type === "terminal")
    const [text] = (content as ReadonlyArray<Fields>).flatMap(({ content, type }) =>
      type === "content" ? [(content.text as string).replace(/^(```+)\n([^]*)\n\1$/, "$2")] : []
    )
    const rest = (content as ReadonlyArray<Fields>).filter(({ type }) => type === "diff")
    return { ...tool, rest, printed: ((isTerminal ? terminal : text) ?? "").trimEnd() }
  }

  return {
    take,
    seen: () =>
      JSON.stringify(
        [[...shown].map(([key, fields]) => [key, key.startsWith("tool ") ? printed(fields) : fields]), plan],
        null,
        1
      )
  }
}

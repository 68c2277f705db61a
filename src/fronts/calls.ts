/**
 * calls: tools from call to result, and the questions about them. Every result and every question belongs to
 * a call; if the agent reports none, one is made up. All are settled when the turn ends.
 */
import type { RelayEvent } from "../schema/index.js"
import type { AskOp, Op } from "./Op.js"
import { ofParent, open, parentOf, text } from "./read.js"

type EventOf<Type extends RelayEvent["type"]> = Extract<RelayEvent, { readonly type: Type }>

export interface Calls {
  readonly call: (id: string, tool: string, args: unknown, parent: string | undefined) => void
  readonly output: (id: string, text: string) => void
  readonly progress: (event: EventOf<"tool_progress">) => void
  readonly result: (event: EventOf<"tool_result">) => void
  readonly ask: (event: EventOf<"permission_request">) => void
  readonly answered: (event: EventOf<"control_response">) => void
  readonly cancel: (request_id: string, reason: string) => void
  /** Settle everything; none of it continues. */
  readonly settleAll: (reason: string) => void
  /** Pending questions, oldest first. */
  readonly asking: () => ReadonlyArray<AskOp>
}

interface Call {
  readonly tool: string
  readonly parent: string | undefined
  /** A person's answers, if the call was a question. */
  answers?: string
}

interface Ask {
  readonly op: AskOp
  /** Nothing else will end its call. */
  readonly ownsCall: boolean
}

export const make = (push: (op: Op) => void): Calls => {
  /** From all turns: a result may come in a later one. */
  const calls = new Map<string, Call>()
  const openCalls = new Set<string>()
  const asks = new Map<string, Ask>()

  const call = (id: string, tool: string, args: unknown, parent: string | undefined, synthetic = false) => {
    const known = openCalls.has(id)
    calls.set(id, { tool, parent })
    openCalls.add(id)
    push({ type: "tool_call", id, tool, args, synthetic, known, ...ofParent(parent) })
  }

  const finish = (id: string, ok: boolean, words: string, unfinished = false) => {
    const { parent, tool = "tool" } = calls.get(id) ?? {}
    openCalls.delete(id)
    push({ type: "tool_result", id, tool, ok, text: words, unfinished, ...ofParent(parent) })
  }

  const finishAll = () => {
    for (const id of [...openCalls]) {
      const answers = calls.get(id)?.answers
      finish(id, answers !== undefined, answers ?? "", answers === undefined)
    }
  }

  const result = (event: EventOf<"tool_result">) => {
    const { content, exit_code, metadata, status, tool: name = "tool", tool_use_id: id } = event
    // Every result needs a call.
    if (!calls.has(id)) call(id, name, {}, parentOf(metadata), true)
    const { parent, tool = name } = calls.get(id) ?? {}
    openCalls.delete(id)
    push({
      type: "tool_result",
      id,
      tool,
      ok: status === "ok",
      text: event.text ?? text(content) ?? "",
      unfinished: false,
      ...(content !== undefined && { content }),
      ...(exit_code !== undefined && { exit_code }),
      ...ofParent(parent)
    })
  }

  /** The running tool a progress event without an id is about, if unambiguous. */
  const running = (tool: string | undefined): string | undefined => {
    const [first, ...others] = [...openCalls].filter((id) =>
      tool === undefined || calls.get(id)?.tool === tool
    )
    return others.length === 0 ? first : undefined
  }

  const ask = (event: EventOf<"permission_request">) => {
    const { args = {}, metadata, request_id, tool = "question", tool_use_id } = event
    const id = tool_use_id ?? `ask-${request_id}`
    if (!openCalls.has(id)) call(id, tool, args, parentOf(metadata), true)
    const op: AskOp = {
      type: "ask",
      request_id,
      id,
      kind: metadata.kind,
      tool,
      text: event.text ?? "",
      args,
      options: metadata.options ?? [],
      ...(metadata.expires_at !== undefined && { expires_at: metadata.expires_at })
    }
    asks.set(request_id, { op, ownsCall: tool_use_id === undefined })
    push(op)
  }

  const answered = ({ metadata, request_id, status }: EventOf<"control_response">) => {
    const asked = asks.get(request_id)
    // A client's own request.
    if (asked === undefined) return
    asks.delete(request_id)
    const { id, kind } = asked.op
    const allowed = status === "allow" || status === "ok"
    const by = metadata?.["by"]
    const reason = text(metadata?.["message"])
    push({
      type: "settled",
      request_id,
      id,
      status: allowed ? "allow" : "deny",
      ...(by !== undefined && { by: open(by) }),
      ...(reason !== undefined && { reason })
    })
    if (!openCalls.has(id)) return
    const answers = metadata?.["answers"] === undefined ? "" : JSON.stringify(metadata["answers"])
    if (asked.ownsCall) return finish(id, allowed, allowed ? answers : reason ?? "")
    const known = calls.get(id)
    // The agent may report nothing more about it.
    if (allowed && kind === "question" && known !== undefined) known.answers = answers
  }

  const cancel = (request_id: string, reason: string) => {
    const asked = asks.get(request_id)
    if (asked === undefined) return
    asks.delete(request_id)
    const { id } = asked.op
    push({ type: "settled", request_id, id, status: "cancelled", reason })
    if (asked.ownsCall && openCalls.has(id)) finish(id, false, "")
  }

  return {
    call,
    output: (id, text) => {
      if (openCalls.has(id)) push({ type: "output_delta", id, text })
    },
    progress: ({ text, tool, tool_use_id }) => {
      const id = tool_use_id ?? running(tool)
      if (id !== undefined && openCalls.has(id)) push({ type: "progress", id, text })
    },
    result,
    ask,
    answered,
    cancel,
    settleAll: (reason) => {
      for (const request_id of [...asks.keys()]) cancel(request_id, reason)
      finishAll()
    },
    asking: () => [...asks.values()].map(({ op }) => op)
  }
}

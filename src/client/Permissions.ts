/**
 * Permissions: the agent's open requests. Each is passed to `onPermission` once, even if it was asked before this page
 * connected, but not if it is already settled.
 */
import type { Answer, EventOf, RelayEvent } from "./protocol.js"

export type PermissionRequest = Omit<EventOf<"permission_request">, "seq" | "ts">

/** Returns the answer, or nothing if it is sent later. `signal` aborts when no answer is needed any longer. */
export type OnPermission = (
  request: PermissionRequest,
  signal: AbortSignal
) => Answer | "allow" | "deny" | undefined | void | Promise<Answer | "allow" | "deny" | undefined | void>

export interface Permissions {
  /** Requests without an answer, oldest first. */
  readonly pending: () => ReadonlyArray<PermissionRequest>
  readonly follow: (event: RelayEvent) => void
  readonly settleAll: () => void
}

interface Options {
  readonly ask: OnPermission | undefined
  readonly answer: (request_id: string, answer: Answer) => void
}

interface Question {
  readonly request: PermissionRequest
  readonly settled: AbortController
  asked: boolean
}

const isRequest = (value: unknown): value is PermissionRequest =>
  typeof value === "object" && value !== null && "request_id" in value

export const make = ({ answer, ask }: Options): Permissions => {
  const questions = new Map<string, Question>()
  /** While what was missed comes in, a question may be settled by what comes next. */
  let current = 0
  let scheduled = false

  /** One that gives up because it was aborted has no answer; any other failure is the page's to see. */
  const answerOf = async ({ request, settled: { signal } }: Question) => {
    try {
      return await ask?.(request, signal)
    } catch (error) {
      if (!signal.aborted) throw error
    }
  }

  const put = async (question: Question) => {
    const { request, settled: { signal } } = question
    const given = await answerOf(question)
    if (given === undefined || signal.aborted) return
    answer(request.request_id, typeof given === "string" ? { behavior: given } : given)
  }

  const putAll = () => {
    scheduled = false
    for (const question of questions.values()) {
      if (question.asked) continue
      question.asked = true
      void put(question)
    }
  }

  const add = (request: PermissionRequest) => {
    if (questions.has(request.request_id)) return
    questions.set(request.request_id, { request, settled: new AbortController(), asked: false })
  }

  const settle = (request_id: string) => {
    questions.get(request_id)?.settled.abort()
    questions.delete(request_id)
  }

  /** Those that wait, as the relay tells who attaches. */
  const onStart = ({ metadata }: EventOf<"session_start">) => {
    const { last_seq, pending_permissions } = metadata ?? {}
    if (typeof last_seq === "number") current = last_seq
    if (Array.isArray(pending_permissions)) pending_permissions.filter(isRequest).forEach(add)
  }

  const follow: Permissions["follow"] = (event) => {
    if (event.type === "session_start") onStart(event)
    if (event.type === "permission_request") add(event)
    if (event.type === "permission_cancelled" || event.type === "control_response") settle(event.request_id)
    if (event.type === "session_end") settleAll()
    if (scheduled || event.seq < current || questions.size === 0) return
    // After the frames that are here already.
    scheduled = true
    setTimeout(putAll)
  }

  const settleAll = () => [...questions.keys()].forEach(settle)

  return { pending: () => [...questions.values()].map(({ request }) => request), follow, settleAll }
}

/**
 * asking: puts the agent's questions to the person: permissions and plans as options; other questions as a
 * form, or one by one if the client has no forms. The first answer wins; other clients' dialogs are
 * withdrawn.
 */
import { type PermissionResponse, RequestId } from "../../schema/index.js"
import type { AskOp } from "../Op.js"
import { areChoices, toAnswers, toForm, unaskable } from "../questions.js"
import { type Open, open, questions as questionsIn, text } from "../read.js"
import { type Attached, isOver } from "./Attached.js"
import { codes } from "./refusals.js"
import type { Rpc } from "./Rpc.js"

export interface Asking {
  /** Asks only once, however often it is called. */
  readonly ask: (entry: Attached, op: AskOp) => void
  /** Whether the request that this answer is for still waits; undefined if it is no answer. */
  readonly stillWaits: (entry: Attached, message_id: string | undefined) => boolean | undefined
  /** The relay did not take this answer: asks again if another one may be taken. */
  readonly askAgain: (entry: Attached, message_id: string | undefined, code: string) => void
}

export interface AskingOptions {
  readonly rpc: Pick<Rpc, "ask">
  readonly hasForms: () => boolean
  readonly submit: (entry: Attached, command: PermissionResponse) => void
  readonly newId: () => string
  /** Whether other clients are in the session. */
  readonly othersThan: (entry: Attached, then: (isOther: boolean) => void) => void
}

/** A client that answers by itself must not be asked for ever. */
const mostTries = 3

/** Used if the agent offers no answers of its own. */
const ownOptions = [
  { optionId: "allow", name: "Allow", kind: "allow_once" },
  { optionId: "allow_session", name: "Allow for this session", kind: "allow_always" },
  { optionId: "deny", name: "Deny", kind: "reject_once" }
]

const allowing = new Set(["allow", "allow_session"])

const stopped = { behavior: "deny", stop: true } as const

export const make = ({ hasForms, newId, othersThan, rpc, submit }: AskingOptions): Asking => {
  const respond = (
    entry: Attached,
    op: AskOp,
    answer: Omit<PermissionResponse, "type" | "request_id">
  ) => {
    const { request_id } = op
    const message_id = newId()
    entry.asked.delete(request_id)
    entry.answers.set(message_id, op)
    entry.tries.set(request_id, (entry.tries.get(request_id) ?? 0) + 1)
    const command = {
      type: "permission_response",
      request_id: RequestId.make(request_id),
      message_id,
      ...answer
    } as const
    submit(entry, command)
  }

  const askOptions = (
    entry: Attached,
    op: AskOp,
    choices: ReadonlyArray<object>,
    words: string,
    onChoice: (optionId: string, meta: Open) => void
  ) => {
    const params = {
      sessionId: entry.id,
      toolCall: {
        toolCallId: op.id,
        rawInput: op.args,
        ...(words !== "" && { content: [{ type: "content", content: { type: "text", text: words } }] })
      },
      options: choices
    }
    const id = rpc.ask("session/request_permission", params, ({ result }) => {
      // A client that cannot ask, or was told not to, leaves it to other clients and the deadline.
      if (result === undefined) return void entry.asked.delete(op.request_id)
      const outcome = open(open(result)["outcome"])
      const optionId = text(outcome["optionId"])
      if (outcome["outcome"] === "selected" && optionId !== undefined) {
        return onChoice(optionId, open(open(open(result)["_meta"])["ai-relay"]))
      }
      if (!entry.isStopping) respond(entry, op, stopped)
    })
    entry.asked.set(op.request_id, id)
  }

  const askPermission = (entry: Attached, op: AskOp) => {
    const isOffered = op.options.length > 0
    const choices = isOffered
      ? op.options.map(({ kind, name, option_id }) => ({ optionId: option_id, name, kind }))
      : ownOptions
    askOptions(entry, op, choices, op.text, (optionId, meta) => {
      const { message, scope, stop, updatedInput } = meta
      respond(entry, op, {
        // An answer that was not offered is no permission.
        ...(isOffered ? { option_id: optionId } : { behavior: allowing.has(optionId) ? "allow" : "deny" }),
        ...(optionId === "allow_session" && !isOffered && { scope: "session" }),
        ...(typeof message === "string" && { message }),
        ...((scope === "once" || scope === "session") && { scope }),
        ...(stop === true && { stop }),
        ...(typeof updatedInput === "object" && updatedInput !== null && { updatedInput: open(updatedInput) })
      })
    })
  }

  /**
   * This client cannot ask it. Another one may be able to; if there is none, the agent is told to ask in its text.
   */
  const askElsewhere = (entry: Attached, op: AskOp) => {
    const decline = () => respond(entry, op, { behavior: "deny", message: unaskable })
    const words = [
      ...questionsIn(op.args).map(({ question }) => question),
      "Answer this in another client, or in your next message."
    ].join("\n\n")
    const later = { optionId: "later", name: "Answer in my next message", kind: "reject_once" }
    othersThan(entry, (isOther) => {
      if (!isOpen(entry, op) || isOver(entry)) return
      if (isOther) askOptions(entry, op, [later], words, decline)
      else decline()
    })
  }

  /** One by one, each as options to choose from. */
  const askOneByOne = (entry: Attached, op: AskOp, index = 0, given: Record<string, string> = {}): void => {
    const all = questionsIn(op.args)
    const question = all[index]
    if (!areChoices(all)) return askElsewhere(entry, op)
    if (question === undefined) return respond(entry, op, { behavior: "allow", answers: given })
    const choices = question.options.map(({ label }, place) => ({
      optionId: `option-${place}`,
      name: label,
      kind: "allow_once"
    }))
    const skip = { optionId: "skip", name: "Skip", kind: "reject_once" }
    askOptions(entry, op, [...choices, skip], question.question, (optionId) => {
      const chosen = question.options[choices.findIndex((choice) => choice.optionId === optionId)]
      if (chosen === undefined) return respond(entry, op, { behavior: "deny" })
      askOneByOne(entry, op, index + 1, { ...given, [question.id]: chosen.label })
    })
  }

  const askForm = (entry: Attached, op: AskOp) => {
    const all = questionsIn(op.args)
    const params = { sessionId: entry.id, toolCallId: op.id, ...toForm(all, op.text) }
    const id = rpc.ask("elicitation/create", params, ({ error, result }) => {
      if (result === undefined) {
        const { code } = open(error)
        return code === codes.method || code === codes.params
          ? askOneByOne(entry, op)
          : void entry.asked.delete(op.request_id)
      }
      const { action, content } = open(result)
      if (action === "accept") {
        return respond(entry, op, { behavior: "allow", answers: toAnswers(all, open(content)) })
      }
      if (action === "decline") return respond(entry, op, { behavior: "deny" })
      if (!entry.isStopping) respond(entry, op, stopped)
    })
    entry.asked.set(op.request_id, id)
  }

  const askPerson = (entry: Attached, op: AskOp): void => {
    if (entry.asked.has(op.request_id)) return
    if (entry.held !== undefined) return void entry.held.push(() => askPerson(entry, op))
    if (op.kind !== "question" || questionsIn(op.args).length === 0) return askPermission(entry, op)
    return hasForms() ? askForm(entry, op) : askOneByOne(entry, op)
  }

  const stillWaits: Asking["stillWaits"] = (entry, message_id = "") => {
    const op = entry.answers.get(message_id)
    return op === undefined ? undefined : isOpen(entry, op)
  }

  const askAgain: Asking["askAgain"] = (entry, message_id = "", code) => {
    const op = entry.answers.get(message_id)
    entry.answers.delete(message_id)
    if (op === undefined || !isOpen(entry, op) || code !== "bad_command") return
    if ((entry.tries.get(op.request_id) ?? 0) < mostTries) askPerson(entry, op)
  }

  return { ask: askPerson, askAgain, stillWaits }
}

const isOpen = ({ projector }: Attached, op: AskOp) =>
  projector.asking().some(({ request_id }) => request_id === op.request_id)

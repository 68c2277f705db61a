/**
 * driving: which client may send commands if only one at a time may, requests to take over, and suggested
 * prompts.
 */
import type { Draft } from "./Draft.js"
import { list, number, open, text } from "./read.js"
import type { Driving, Person, View } from "./View.js"

type Metadata = Readonly<Record<string, unknown>>

const personOf = (by: unknown): Person => {
  const { address, connection, front, token, user } = open(by)
  const name = text(user) ?? text(token) ?? text(address) ?? ""
  const [number_, uses] = [number(connection), text(front)]
  return {
    name,
    ...(uses !== undefined && { front: uses }),
    ...(number_ !== undefined && { connection: number_ })
  }
}

const requestIn = ({ by, expires_at, request_id }: Metadata): Driving["requests"] => {
  const id = text(request_id)
  return id === undefined ? [] : [{ request_id: id, by: personOf(by), expires_at: number(expires_at) ?? 0 }]
}

const suggestionIn = ({ by, suggestion_id, text: said }: Metadata): Driving["suggestions"] => {
  const id = text(suggestion_id)
  return id === undefined ? [] : [{ suggestion_id: id, by: personOf(by), text: text(said) ?? "" }]
}

/** `session_start`: the current state. */
export const started = (draft: Draft, metadata: Metadata) => {
  const { own } = draft.driving ?? {}
  if (metadata["drivers"] !== "one") {
    delete draft.driving
    return
  }
  draft.driving = {
    ...(own !== undefined && { own }),
    ...(metadata["driver"] !== undefined && { driver: personOf(metadata["driver"]) }),
    requests: list(metadata["drive_requests"]).flatMap(requestIn),
    suggestions: list(metadata["suggestions"]).flatMap(suggestionIn)
  }
}

/** This connection's number, by which a client knows whether it is the driver. Sent only to that client. */
export const joined = (draft: Draft, metadata: Metadata) => {
  const own = number(metadata["connection"])
  if (own !== undefined) draft.driving = { requests: [], suggestions: [], ...draft.driving, own }
}

/** `status`: what has changed; `said` is its text. */
export const told = (draft: Draft, status: string, metadata: Metadata, said: string | undefined) => {
  const { driving } = draft
  if (driving === undefined) return
  const { driver: _, ...others } = driving
  const by = metadata["driver"]
  const isNot = (id: unknown) => (each: { readonly request_id?: string; readonly suggestion_id?: string }) =>
    (each.request_id ?? each.suggestion_id) !== id
  switch (status) {
    case "driver":
      draft.driving = by === undefined ? others : { ...others, driver: personOf(by) }
      return
    case "drive_requested":
      draft.driving = { ...driving, requests: [...driving.requests, ...requestIn(metadata)] }
      return
    case "drive_settled":
      draft.driving = { ...driving, requests: driving.requests.filter(isNot(metadata["request_id"])) }
      return
    case "suggestion":
      draft.driving = {
        ...driving,
        suggestions: [...driving.suggestions, ...suggestionIn({ ...metadata, text: said })]
      }
      return
    case "suggestion_settled":
      draft.driving = {
        ...driving,
        suggestions: driving.suggestions.filter(isNot(metadata["suggestion_id"]))
      }
  }
}

/**
 * Whether this client may send commands: `everybody` may if there is no driver rule; if `nobody` drives, the
 * first client to send one does.
 */
export const whoDrives = ({ driving }: Pick<View, "driving">): "everybody" | "me" | "nobody" | "other" =>
  driving === undefined
    ? "everybody"
    : driving.driver === undefined
    ? "nobody"
    : driving.own !== undefined && driving.driver.connection === driving.own
    ? "me"
    : "other"

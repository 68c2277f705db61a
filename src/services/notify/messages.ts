/**
 * messages: the contents of notifications, as JSON for webhooks or in ntfy's form. They contain the session's title and agent,
 * without secrets, and never what a tool would run or what was said.
 */

export interface Notice {
  /** `question`: the session waits for an answer. `done`: a long turn has ended. */
  readonly kind: "question" | "done"
  readonly session_id: string
  readonly tool: string
  readonly folder: string
  readonly title?: string
  /** A link to the session, if the operator set the relay's address. */
  readonly link?: string
}

/** Where to send notices. */
export type Target =
  | { readonly kind: "webhook"; readonly url: string }
  | { readonly kind: "ntfy"; readonly url: string; readonly topic: string }

export interface Letter {
  readonly url: string
  readonly body: object
}

const isWeb = (address: string): boolean =>
  URL.canParse(address) && /^https?:$/.test(new URL(address).protocol)

/** Parses `https://…` (a webhook) or `ntfy:https://ntfy.sh/TOPIC`. Undefined: it is neither. */
export const targetOf = (entry: string): Target | undefined => {
  const [, address] = /^ntfy:(.*)$/.exec(entry) ?? []
  if (address === undefined) return isWeb(entry) ? { kind: "webhook", url: entry } : undefined
  if (!isWeb(address)) return undefined
  const { origin, pathname } = new URL(address)
  const parts = pathname.split("/").filter((part) => part !== "")
  const topic = parts.pop()
  return topic === undefined
    ? undefined
    : { kind: "ntfy", url: [origin, ...parts].join("/"), topic: decodeURIComponent(topic) }
}

const lastPart = (path: string): string => path.split("/").findLast((part) => part !== "") ?? path

export const headOf = ({ kind, tool }: Notice): string =>
  kind === "question" ? `${tool} is waiting for your answer` : `${tool} has finished`
const aboutOf = ({ folder, title }: Notice): string => title ?? lastPart(folder)

export const letterTo = (target: Target, notice: Notice): Letter =>
  target.kind === "webhook"
    ? { url: target.url, body: { ...notice, text: `${headOf(notice)}: ${aboutOf(notice)}` } }
    : {
      url: target.url,
      body: {
        topic: target.topic,
        title: headOf(notice),
        message: aboutOf(notice),
        priority: notice.kind === "question" ? 4 : 3,
        tags: [notice.kind === "question" ? "raised_hand" : "white_check_mark"],
        ...(notice.link !== undefined && { click: notice.link })
      }
    }

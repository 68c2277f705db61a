/** chatPage: a small React app with the chat of ai-relay/react, as a developer would write it. Bundled by the test. */
import { Chat, useSession } from "ai-relay/react"
import { createElement as h, StrictMode } from "react"
import { createRoot } from "react-dom/client"

const fields = new URLSearchParams(
  (globalThis as unknown as { location: { search: string } }).location.search
)

const App = () => {
  const session = useSession({ url: fields.get("url") ?? "", tool: "demo" })
  return h(
    "main",
    null,
    h("h1", null, "My own page"),
    h("p", { "aria-label": "Status" }, session.status),
    h("button", { id: "theirs", onClick: () => session.send("go") }, "Ask"),
    h(
      "p",
      { "aria-label": "Counts" },
      `${session.messages.length} ${session.permissions.length} ${session.queue.length}`
    ),
    h(Chat, { session, style: { height: "620px", "--accent-solid": "#0b7a55" } as object })
  )
}

createRoot((globalThis as unknown as { document: { body: Element } }).document.body).render(
  h(StrictMode, null, h(App))
)

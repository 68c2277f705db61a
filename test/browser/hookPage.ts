/** hookPage: a small React app with the hook of examples/react, as a developer would write it. Bundled by the test. */
import { createElement as h, StrictMode, useRef } from "react"
import { createRoot } from "react-dom/client"
import { useRelay } from "../../examples/react/useRelay.js"

const fields = new URLSearchParams(
  (globalThis as unknown as { location: { search: string } }).location.search
)

const App = () => {
  const { events, permissions, session, state, writing } = useRelay({
    url: fields.get("url") ?? "",
    tool: "demo",
    session_id: "hook",
    after_seq: 0
  })
  // What streams is gone as soon as it is whole.
  const longest = useRef("")
  if (writing.length > longest.current.length) longest.current = writing
  return h(
    "main",
    null,
    h("p", { role: "status" }, state.status),
    h("button", { onClick: () => void session?.prompt("go") }, "Ask"),
    permissions.map(({ request_id, tool }) =>
      h("button", { key: request_id, onClick: () => void session?.allow(request_id) }, `Allow ${tool}`)
    ),
    h("p", { "aria-label": "Writing" }, writing),
    h("p", { "aria-label": "Longest" }, longest.current),
    h(
      "ol",
      null,
      events.map((event, index) =>
        h("li", { key: index }, event.type, " ", "text" in event ? event.text : "")
      )
    )
  )
}

createRoot((globalThis as unknown as { document: { body: Element } }).document.body).render(
  h(StrictMode, null, h(App))
)

/** A page as a user of CopilotKit writes it: its own chat, and what is asked as buttons. The relay is its runtime. */
import { CopilotChat, CopilotKit, useInterrupt } from "@copilotkit/react-core/v2"
import { createRoot } from "react-dom/client"

const query = new URLSearchParams(location.search)

const Asked = () => {
  useInterrupt({
    render: ({ interrupt, resolve }) => {
      const { args } = interrupt.metadata
      const [question] = args?.questions ?? []
      const choices = question === undefined
        ? [["Allow", { approved: true }], ["Deny", { approved: false }]]
        : question.options.map(({ label }) => [label, { answers: { [question.id ?? question.question]: label } }])
      return (
        <section aria-label="Asked">
          <p>{interrupt.message}</p>
          {choices.map(([label, payload]) => <button key={label} onClick={() => resolve(payload)}>{label}</button>)}
        </section>
      )
    }
  })
  return null
}

createRoot(document.querySelector("main")).render(
  <CopilotKit runtimeUrl={`${query.get("relay")}/agui`} agent="demo">
    <Asked />
    <CopilotChat agentId="demo" threadId={query.get("thread")} />
  </CopilotKit>
)

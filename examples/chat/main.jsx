/**
 * A chat with a coding agent: approvals, questions, diffs, and a page that may be closed and opened again at any time.
 *
 *     ai-relay --allow-origin http://localhost:5173      and here: npm install && npm run dev
 */
import { useChat } from "@ai-sdk/react"
import { DefaultChatTransport, lastAssistantMessageIsCompleteWithApprovalResponses } from "ai"
import { useState } from "react"
import { createRoot } from "react-dom/client"

const query = new URLSearchParams(location.search)
const api = `${query.get("relay") ?? "http://localhost:8765"}/chat/${query.get("tool") ?? "demo"}@7`
const id = (location.hash ||= crypto.randomUUID()).replace("#", "")
const messages = await (await fetch(`${api}/${id}/messages`)).json()

const Part = ({ answer, part, questions }) => {
  if (["reasoning", "text"].includes(part.type)) return <p className={part.type}>{part.text}</p>
  if (part.type === "data-file-diff") return <pre className="diff">{part.data.diff}</pre>
  if (part.type !== "dynamic-tool") return null
  const options = questions(part)?.flatMap(({ options }) => options) ?? []
  return (
    <section>
      <b>{part.toolName}</b> {part.state} <code>{JSON.stringify(part.input)}</code>
      <pre>{part.output?.text}</pre>
      {part.state === "approval-requested" && (
        <p>
          {options.map(({ label }) => <button key={label} onClick={() => answer(part, true, label)}>{label}</button>)}
          {options.length === 0 && <button onClick={() => answer(part, true)}>Allow</button>}
          <button onClick={() => answer(part, false)}>Deny</button>
        </p>
      )}
    </section>
  )
}

const Chat = () => {
  const [text, setText] = useState("")
  const chat = useChat({
    id,
    messages,
    resume: true,
    transport: new DefaultChatTransport({ api }),
    sendAutomaticallyWhen: lastAssistantMessageIsCompleteWithApprovalResponses
  })
  const answer = ({ approval }, approved, reason) =>
    chat.addToolApprovalResponse({ id: approval.id, approved, reason })
  const questionsIn = (parts) => ({ toolCallId }) =>
    parts.findLast(({ data, type }) => type === "data-permission" && data.tool_use_id === toolCallId)?.data.questions
  const send = (event) => {
    event.preventDefault()
    void chat.sendMessage({ text })
    setText("")
  }
  return (
    <main>
      {chat.messages.map(({ id, parts, role }) => (
        <article key={id} className={role}>
          {parts.map((part, index) => <Part key={index} {...{ answer, part }} questions={questionsIn(parts)} />)}
        </article>
      ))}
      {chat.error && <p role="alert">{chat.error.message}</p>}
      <form onSubmit={send}>
        <input aria-label="Prompt" value={text} onChange={({ target }) => setText(target.value)} />
        <button>Send</button>
        <button type="button" onClick={() => fetch(`${api}/${id}/stop`, { method: "POST" })}>Stop</button>
      </form>
      <p role="status">{chat.status}</p>
    </main>
  )
}

createRoot(document.getElementById("root")).render(<Chat />)

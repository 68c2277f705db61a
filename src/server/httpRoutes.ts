/** httpRoutes: the relay's answers to plain HTTP. */
import type { IncomingMessage, ServerResponse } from "node:http"

type Route = (request: IncomingMessage, response: ServerResponse) => void

const sendJson = (response: ServerResponse, status: number, body: unknown) => {
  response.writeHead(status, {
    "content-type": "application/json; charset=utf-8",
    "cache-control": "no-store",
    "x-content-type-options": "nosniff"
  })
  response.end(JSON.stringify(body) + "\n")
}

const routes: Record<string, Route> = {
  "/healthz": (_, response) => sendJson(response, 200, { status: "ok" })
}

const hint =
  "This is ai-relay. Connect a WebSocket and send a handshake, such as {\"tool\":\"claude\",\"folder\":\".\"}. "
  + "Over HTTP there is /healthz."

export const answerHttp: Route = (request, response) => {
  const path = (request.url ?? "/").split("?", 1)[0] ?? "/"
  const route = Object.hasOwn(routes, path) ? routes[path] : undefined
  if (route === undefined) return sendJson(response, path === "/" ? 200 : 404, { text: hint })
  if (request.method !== "GET" && request.method !== "HEAD") {
    return sendJson(response, 405, { text: "use GET" })
  }
  route(request, response)
}

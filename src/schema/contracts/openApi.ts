/** openApi: the relay's HTTP API as OpenAPI 3.1, generated from the table of routes. */
import { type JsonSchema, Schema } from "effect"
import { refusal, type Route, type RouteAnswer, routes } from "../routes.js"
import { answers as components } from "./answers.js"
import { definitionsAt, type Json, schemaOf, version } from "./jsonSchema.js"

const here = "#/components/schemas/"

const toAnswer = ({ about, each, schema, type = "application/json" }: RouteAnswer): Json => ({
  description: about,
  ...(schema !== undefined && {
    content: { [type]: { schema, ...(each !== undefined && { "x-event-schema": each }) } }
  })
})

/** What may be answered wherever it is asked who is there. */
const refusals = {
  401: refusal("Another machine, and no token or a wrong one."),
  403: refusal("A web page or a host name that is not allowed, or a token that may not do this."),
  429: refusal("Too many failed attempts, or too many connections: try again later.")
}

const namesIn = (path: string) => Array.from(path.matchAll(/\{(\w+)\}/g), ([, name = ""]) => name)

const toOperation = (
  operationId: string,
  route: Route,
  definitions: Record<string, JsonSchema.JsonSchema>
): Json => {
  const { answers, body, bodyType = "application/json", path, query = {}, scope, summary } = route
  const parameters = [
    ...namesIn(path).map((name) => ({ name, in: "path", required: true, schema: { type: "string" } })),
    ...Object.entries(query).map(([name, { about, schema = { type: "string" } }]) => ({
      name,
      in: "query",
      description: about,
      schema
    }))
  ]
  const responses = { ...(scope !== "public" && refusals), ...answers }
  return {
    operationId,
    summary,
    ...(scope === "public" ? { security: [] } : { "x-scope": scope }),
    ...(parameters.length > 0 && { parameters }),
    ...(body !== undefined && {
      requestBody: {
        required: true,
        content: {
          [bodyType]: { schema: Schema.isSchema(body) ? schemaOf(body, definitions, here) : body }
        }
      }
    }),
    responses: Object.fromEntries(
      Object.entries(responses).map(([status, answer]) => [status, toAnswer(answer)])
    )
  }
}

export const openApi = (): Json => {
  const definitions: Record<string, JsonSchema.JsonSchema> = {}
  const paths: Record<string, Json> = {}
  for (const [id, route] of Object.entries<Route>(routes)) {
    const { method, path } = route
    paths[path] = { ...paths[path], [method.toLowerCase()]: toOperation(id, route, definitions) }
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "ai-relay over HTTP",
      version,
      description: "The relay's HTTP API, besides its WebSocket. Programs on its own machine need no token. "
        + "`x-scope` is the scope that a token needs.",
      license: { name: "MIT", identifier: "MIT" }
    },
    servers: [{ url: "http://localhost:8765" }],
    security: [{}, { token: [] }],
    paths,
    components: {
      securitySchemes: { token: { type: "http", scheme: "bearer" } },
      schemas: { ...components, ...definitionsAt(here), ...definitions }
    }
  }
}

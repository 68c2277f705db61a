/**
 * docs/protocol.md lists every way in and every command with what it needs, as the tables in src/schema say.
 * `vitest run -u` on this file writes the lists anew.
 */
import { assert, describe, expect, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { commandScopes } from "../../src/schema/commandScopes.js"
import { scopes } from "../../src/schema/index.js"
import { type Route, routes, type SocketRoute, socketRoutes } from "../../src/schema/routes.js"

const file = fileURLToPath(new URL("../../docs/protocol.md", import.meta.url))

const code = (text: string) => `\`${text}\``
const queryOf = ({ query = {} }: Route) =>
  Object.keys(query).length === 0 ? "" : `?${Object.keys(query).join("&")}`

const table = (head: string, rows: ReadonlyArray<ReadonlyArray<string>>) => {
  const columns = head.split(",").length
  return [
    `| ${head.split(",").join(" | ")} |`,
    `|${"---|".repeat(columns)}`,
    ...rows.map((row) => `| ${row.join(" | ")} |`)
  ]
    .join("\n")
}

const lists: Readonly<Record<string, string>> = {
  scopes: table(
    "scope,commands",
    scopes.map((scope) => [
      code(scope),
      Object.entries(commandScopes).filter(([, needs]) => needs === scope).map(([type]) => code(type)).join(
        ", "
      )
    ])
  ),
  routes: table("request,needs,", [
    ...Object.values<Route>(routes).map((route) => [
      code(`${route.method} ${route.path}${queryOf(route)}`),
      route.scope === "public" ? "nothing" : code(route.scope),
      route.summary
    ]),
    ...Object.values<SocketRoute>(socketRoutes).map(({ path, scope, summary }) => [
      code(`WebSocket ${path}`),
      code(scope),
      summary
    ])
  ])
}

describe("docs/protocol.md", () => {
  it("lists every route and every command with the scope it needs", async () => {
    let page = readFileSync(file, "utf8")
    for (const [name, list] of Object.entries(lists)) {
      const [begin, end] = [`<!-- ${name} -->`, `<!-- end of ${name} -->`]
      const [before = "", rest] = page.split(begin)
      const after = rest?.split(end)[1]
      assert.isDefined(after, `docs/protocol.md must hold the lines ${begin} and ${end}`)
      page = `${before}${begin}\n\n${list}\n\n${end}${after}`
    }
    await expect(page).toMatchFileSnapshot(file)
  })
})

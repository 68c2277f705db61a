/** Every way in says what it needs, or it does not compile. */
import { assert, describe, it } from "@effect/vitest"
import { ClientCommand } from "../../src/schema/ClientCommand.js"
import { commandScopes } from "../../src/schema/commandScopes.js"
import type { Route, SocketRoute } from "../../src/schema/routes.js"
import { routes, socketRoutes } from "../../src/schema/routes.js"

describe("a way in", () => {
  it("does not compile without a scope", () => {
    // @ts-expect-error: what does it need?
    const open: Route = { method: "POST", path: "/x", reach: "relay", summary: "Open to all.", answers: {} }
    // @ts-expect-error: whose sessions does it show?
    const wide: Route = { method: "GET", path: "/x", scope: "view", summary: "Shows all.", answers: {} }
    // @ts-expect-error: what does it need?
    const socket: SocketRoute = { path: "/x", reach: "relay", summary: "Open to all." }
    // @ts-expect-error: some command is missing
    const scopes: typeof commandScopes = { ping: "view" }
    for (const one of [open, wide, socket, scopes]) assert.isObject(one)
  })

  it("is there once: no two routes answer the same", () => {
    const keys = Object.values(routes).map(({ method, path }) =>
      `${method} ${path.replaceAll(/\{\w+\}/g, "{}")}`
    )
    assert.strictEqual(new Set(keys).size, keys.length)
    const paths = Object.values(socketRoutes).map(({ path }) => path)
    assert.strictEqual(new Set(paths).size, paths.length)
  })
})

describe("a command", () => {
  it("has a scope, whichever it is", () => {
    assert.sameMembers(
      Object.keys(commandScopes),
      ClientCommand.members.map(({ fields }) => fields.type.literal)
    )
  })
})

import { assert, it } from "@effect/vitest"
import * as RefusedOrigins from "../../src/server/RefusedOrigins.js"
import { ForbiddenOrigin } from "../../src/services/access/Auth.js"

const refusal = (origin: string) =>
  new ForbiddenOrigin({
    reason: `pages of ${origin} may not use this relay: start it with --allow-origin ${origin}`
  })

it("an origin that is refused is logged once, with the flag, and nobody fills the log with made-up ones", () => {
  const { newsOf } = RefusedOrigins.make()
  assert.include(newsOf(refusal("http://a")) ?? "", "--allow-origin http://a")
  assert.isUndefined(newsOf(refusal("http://a")))
  const told = Array.from({ length: 1000 }, (_, index) => newsOf(refusal(`http://${index}`)))
  assert.isBelow(told.filter((news) => news !== undefined).length, 100)
})

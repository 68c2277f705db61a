import { Effect } from "effect"
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, assert, describe, it } from "vitest"
import { find } from "../../../src/services/access/AccessToken.js"
import { replace } from "../../../src/services/access/privateFile.js"
import { smallDisk, whyNoSmallDisk } from "../../support/smallDisk.js"

describe("a private file", () => {
  const disk = smallDisk()
  afterAll(() => disk?.remove())

  it.skipIf(disk === undefined)(
    `stays as it was if a full disk takes only a part of it${whyNoSmallDisk}`,
    async () => {
      const folder = disk?.folder ?? ""
      const file = join(folder, "tokens.json")
      mkdirSync(join(folder, "new"))
      replace(file, { tokens: [] })
      try {
        writeFileSync(join(folder, "filler"), Buffer.alloc(1_000_000))
      } catch {
        // It is full.
      }
      // One page is free.
      writeFileSync(join(folder, "filler"), readFileSync(join(folder, "filler")).subarray(4096))
      assert.throws(() => replace(file, { tokens: ["x".repeat(20_000)] }), /ENOSPC/)
      assert.deepStrictEqual(JSON.parse(readFileSync(file, "utf8")), { tokens: [] })
      assert.deepStrictEqual(readdirSync(folder).toSorted(), ["filler", "new", "tokens.json"])
      writeFileSync(join(folder, "rest"), Buffer.alloc(4096))
      const found = await Effect.runPromise(Effect.result(find({ state_dir: join(folder, "new") })))
      assert.strictEqual(found._tag, "Failure")
      // An empty one would be refused at the next start.
      assert.isEmpty(readdirSync(join(folder, "new")))
    }
  )
})

/** What others made and we pass on, or run: with its terms, by its digest, and listed. */
import { assert, describe, it } from "@effect/vitest"
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("../..", import.meta.url))

interface Licenses {
  readonly licensesOf: (inputs: ReadonlyArray<string>, base?: string) => string
  readonly sbomOf: (inputs: ReadonlyArray<string>, base?: string) => {
    readonly components: ReadonlyArray<{
      readonly name: string
      readonly purl: string
      readonly licenses: ReadonlyArray<object>
      readonly hashes?: ReadonlyArray<{ readonly alg: string; readonly content: string }>
    }>
  }
}
// The build's own scripts are no TypeScript.
const { licensesOf, sbomOf } = await import(join(root, "scripts/licenses.mjs")) as Licenses

/** A folder with one package in it. */
const withPackage = (files: Readonly<Record<string, string>>, body: (base: string) => void) => {
  const base = mkdtempSync(join(tmpdir(), "ai-relay-supply-"))
  try {
    const folder = join(base, "node_modules/one")
    mkdirSync(folder, { recursive: true })
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
    body(base)
  } finally {
    rmSync(base, { recursive: true })
  }
}
const named = (fields: object) => JSON.stringify({ name: "one", version: "1.2.3", ...fields })
const inputs = ["node_modules/one/lib/index.js", "src/own.ts"]

describe("the terms of what is bundled", () => {
  it("are passed on as they are, notices too", () => {
    const files = {
      "package.json": named({ license: "MIT" }),
      "LICENSE.md": "the terms",
      "NOTICE": "the notice"
    }
    withPackage(files, (base) => {
      assert.strictEqual(licensesOf(inputs, base), "one 1.2.3\n\nthe terms\n\nthe notice\n")
    })
  })

  it("are spelled out where the package only names them", () => {
    withPackage({ "package.json": named({ license: "MIT", author: "A <a@b.c>" }) }, (base) => {
      assert.match(
        licensesOf(inputs, base),
        /^one 1\.2\.3\n\nMIT License\n\nCopyright \(c\) A <a@b\.c>\n\nPermission is/
      )
    })
  })

  it.each([{}, { license: "MIT" }, { license: "Apache-2.0", author: "A" }, {
    license: "SEE LICENSE IN X",
    author: "A"
  }])(
    "are never left out silently: %j",
    (fields) => {
      withPackage({ "package.json": named(fields) }, (base) => {
        assert.throws(() => licensesOf(inputs, base), /^one 1\.2\.3 .* find out its terms/)
      })
    }
  )

  it("are those of the fonts, too", () => {
    const fonts = ["inter", "jetbrains-mono"].map((name) =>
      `node_modules/@fontsource-variable/${name}/files/x.woff2`
    )
    assert.lengthOf(licensesOf(fonts).match(/^SIL OPEN FONT LICENSE Version 1\.1/gm) ?? [], 2)
  })
})

describe("the list of what is in the package", () => {
  it("names everything that was bundled or is needed, with its terms and its digest", () => {
    const { components } = sbomOf(["node_modules/effect/src/Effect.ts"])
    const { dependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
      readonly dependencies: Readonly<Record<string, string>>
    }
    const names = components.map(({ name }) => name)
    const needed = Object.keys(dependencies).filter((name) => name !== "node-pty")
    assert.includeMembers(names, ["effect", "@lydell/node-pty", ...needed])
    for (const { hashes, licenses, name, purl } of components) {
      assert.include(purl, "pkg:npm/", name)
      assert.isNotEmpty(licenses, name)
      assert.match(hashes?.[0]?.content ?? "", /^[0-9a-f]{128}$/, name)
    }
  })
})

describe("what CI runs of others", () => {
  it("is pinned by its digest", () => {
    const folder = join(root, ".github/workflows")
    const uses = readdirSync(folder).flatMap((name) =>
      [...readFileSync(join(folder, name), "utf8").matchAll(/uses: *(.*)/g)].map(([, used = ""]) => used)
    )
    assert.isAbove(uses.length, 3)
    for (const used of uses) assert.match(used, /^[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/)
  })
})

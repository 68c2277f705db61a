/**
 * contracts: `npm run contracts` writes contracts/ and src/client/wire.ts, the protocol's types without Effect, from the
 * schemas. `test/schema/contracts.test.ts` fails when they are not what the schemas say.
 */
import { build } from "esbuild"
import { mkdirSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("..", import.meta.url))
const { outputFiles } = await build({
  absWorkingDir: root,
  entryPoints: ["test/support/contractFiles.ts"],
  bundle: true,
  platform: "node",
  format: "esm",
  write: false
})
const { contractFiles } = await import(
  `data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString("base64")}`
)
for (const [path, text] of Object.entries(contractFiles())) {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), text)
  console.log(path)
}

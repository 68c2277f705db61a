/** bundleReaper: `src/services/process/reaper.ts` and what it imports, as one text that `node -e` runs. */
import { buildSync } from "esbuild"
import { fileURLToPath } from "node:url"

export const bundleReaper = () => {
  const { outputFiles: [file] } = buildSync({
    entryPoints: [fileURLToPath(new URL("../src/services/process/reaper.ts", import.meta.url))],
    bundle: true,
    minify: true,
    platform: "node",
    format: "cjs",
    target: "node20",
    write: false
  })
  return file.text
}

/** embeddedSources: programs inside the relay, each with what it imports as one text: the constants that hold them, for esbuild. */
import { buildSync } from "esbuild"
import { fileURLToPath } from "node:url"

const bundled = (path) => {
  const { outputFiles: [file] } = buildSync({
    entryPoints: [fileURLToPath(new URL(`../src/services/${path}`, import.meta.url))],
    bundle: true,
    minify: true,
    platform: "node",
    format: "cjs",
    target: "node20",
    write: false
  })
  return JSON.stringify(file.text)
}

export const embeddedSources = () => ({
  __AI_RELAY_REAPER__: bundled("process/reaper.ts"),
  __AI_RELAY_FOLDER_THREAD__: bundled("journal/folderThread.ts")
})

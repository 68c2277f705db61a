/**
 * build-console: fills dist/console with the page of src/console: its files, each with its brotli and gzip form beside it,
 * and `files.json`, the list the relay serves from.
 */
import react from "@vitejs/plugin-react"
import { build as bundle } from "esbuild"
import { createHash } from "node:crypto"
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { extname, join, relative, resolve, sep } from "node:path"
import { fileURLToPath } from "node:url"
import { brotliCompressSync, constants, gzipSync } from "node:zlib"
import { build } from "vite"
import { mermaidForVite } from "./mermaid.mjs"

const root = fileURLToPath(new URL("../src/console", import.meta.url))
export const consoleFolder = fileURLToPath(new URL("../dist/console", import.meta.url))

const types = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".woff2": "font/woff2",
  ".png": "image/png",
  ".webmanifest": "application/manifest+json"
}
const packed = new Set([".woff2", ".png"])

const compress = (path) => {
  const content = readFileSync(path)
  const params = { [constants.BROTLI_PARAM_SIZE_HINT]: content.length }
  writeFileSync(`${path}.br`, brotliCompressSync(content, { params }))
  writeFileSync(`${path}.gz`, gzipSync(content, { level: 9 }))
}

const listed = (name) => {
  const ending = extname(name)
  const type = types[ending]
  if (type === undefined) throw new Error(`${name}: give its type in scripts/build-console.mjs`)
  const compressed = !packed.has(ending)
  if (compressed) compress(join(consoleFolder, name))
  return {
    path: `/${name.split(sep).join("/")}`,
    type,
    immutable: name.startsWith(`assets${sep}`),
    compressed
  }
}

/** Vite tells only of the page's own modules: what went into a worker is noted here. */
const noteWorkerModules = (ids) => ({
  name: "note-worker-modules",
  generateBundle(_options, bundle) {
    for (const chunk of Object.values(bundle)) if (chunk.type === "chunk") ids.push(...chunk.moduleIds)
  }
})

/** The service worker: it knows the files the page begins with, and is another one for each build of the page. */
const buildWorker = async (output) => {
  const html = readFileSync(join(consoleFolder, "index.html"), "utf8")
  const linked = Array.from(html.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g), ([, path]) => path)
  const byName = new Map(output.map((file) => [`/${file.fileName}`, file]))
  /** With what each of them imports at once, and what it is set in. */
  const shell = new Set(["/index.html", ...[...byName.keys()].filter((path) => path.endsWith(".woff2"))])
  const add = (path) => {
    if (shell.has(path) || !byName.has(path)) return
    shell.add(path)
    for (const name of byName.get(path).imports ?? []) add(`/${name}`)
  }
  linked.forEach(add)
  const names = output.map(({ fileName }) => fileName).toSorted().join("\n")
  await bundle({
    entryPoints: [join(root, "worker/sw.ts")],
    outfile: join(consoleFolder, "sw.js"),
    bundle: true,
    minify: true,
    format: "iife",
    target: "es2022",
    logLevel: "warning",
    define: {
      __BUILD__: JSON.stringify(createHash("sha256").update(html).update(names).digest("hex").slice(0, 16)),
      __SHELL__: JSON.stringify([...shell])
    }
  })
}

/** Builds the page; gives the modules that went into it. */
export const buildConsole = async () => {
  const ofWorkers = []
  const { output } = await build({
    configFile: false,
    root,
    base: "/",
    logLevel: "warn",
    plugins: [react(), mermaidForVite()],
    worker: { format: "es", plugins: () => [noteWorkerModules(ofWorkers)] },
    build: {
      outDir: consoleFolder,
      emptyOutDir: true,
      target: "es2022",
      modulePreload: { polyfill: false },
      // An inlined font or script would need a weaker policy than the relay sends.
      assetsInlineLimit: 0,
      chunkSizeWarningLimit: 700,
      rollupOptions: {
        output: { chunkFileNames: "assets/part-[hash].js" },
        // A library's remarks to a bundler this one does not need.
        onwarn: (warning, warn) => warning.code === "INVALID_ANNOTATION" || warn(warning)
      }
    }
  })
  await buildWorker(output)
  const files = readdirSync(consoleFolder, { recursive: true })
    .filter((name) => statSync(join(consoleFolder, name)).isFile())
  writeFileSync(join(consoleFolder, "files.json"), JSON.stringify(files.map(listed)))
  const ofPage = output.flatMap((part) =>
    // Fonts and styles, too.
    "moduleIds" in part ? part.moduleIds : part.originalFileNames.map((name) => resolve(root, name))
  )
  return [...ofPage, ...ofWorkers]
    .map((id) => relative(join(root, "../.."), id.replaceAll("\0", "").split("?", 1)[0]))
}

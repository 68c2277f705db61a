/**
 * build-react: fills dist/react, `ai-relay/react`: the hook and the chat, with React left to the page that uses them and all else
 * inside, in parts that are loaded when a chat is drawn; and its stylesheet, the console's, which holds inside of `.ai-relay` only.
 */
import { build } from "esbuild"
import { spawnSync } from "node:child_process"
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { mermaidForEsbuild } from "./mermaid.mjs"

const root = fileURLToPath(new URL("..", import.meta.url))
const out = join(root, "dist/react")
const types = join(root, "node_modules/.cache/ai-relay/react-types")

/** What the package has already is used from there: an error of the client's class is one, wherever it comes from. */
const ofThePackage = {
  name: "of-the-package",
  setup({ onResolve }) {
    onResolve({ filter: /\/client\/browser\.js$/ }, () => ({ path: "../client/browser.js", external: true }))
    onResolve({ filter: /\/messages\/[A-Za-z]+\.js$/ }, ({ path }) => ({
      path: `../messages/${path.split("/").at(-1)}`,
      external: true
    }))
  }
}

const bundle = (options) =>
  build({
    absWorkingDir: root,
    bundle: true,
    minify: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    jsx: "automatic",
    outdir: out,
    legalComments: "none",
    metafile: true,
    logLevel: "warning",
    ...options
  })

const styles = ["tokens", "base", "layout", "chat", "cards", "code", "composer"]

/** What stands by itself, wherever it is written: no scope may hold it. */
const apart = /@(?:keyframes|font-face)\s*[\w-]*\s*\{(?:[^{}]|\{[^{}]*\})*\}\s*/g

/**
 * The console's rules for a part of a page: its root is the chat, and nothing outside of it is touched. Fonts are the page's, if
 * it has them.
 */
const scoped = () => {
  const css = styles.map((name) => readFileSync(join(root, `src/console/styles/${name}.css`), "utf8")).join(
    "\n"
  )
  const rules = css.replaceAll(apart, "")
    .replaceAll(":root", ":scope")
    .replaceAll(/^(?:html|#app) \{[^}]*\}\n/gm, "")
    .replace(/^body \{/m, ":scope {")
  const own = `
:scope { display: flex; flex-direction: column; min-height: 0; overflow: hidden; position: relative; }
.page { min-height: 0; }
`
  return `${
    (css.match(apart) ?? []).filter((rule) => !rule.startsWith("@font-face")).join("")
  }@scope (.ai-relay) {\n${rules}${own}}\n`
}

/** Gives the modules that went into it. */
export const buildReact = async () => {
  rmSync(out, { recursive: true, force: true })
  mkdirSync(out, { recursive: true })
  const tsc = join(root, "node_modules/typescript/bin/tsc")
  const { status, stdout } = spawnSync(process.execPath, [tsc, "-p", "tsconfig.react.json"], {
    cwd: root,
    encoding: "utf8"
  })
  if (status !== 0) throw new Error(`tsc reports: ${stdout}`)
  const [{ metafile }, worker] = await Promise.all([
    bundle({
      entryPoints: ["src/react/index.ts"],
      splitting: true,
      chunkNames: "part-[hash]",
      external: ["react", "react-dom", "react/jsx-runtime"],
      plugins: [ofThePackage, mermaidForEsbuild]
    }),
    bundle({ entryPoints: ["src/console/components/highlight.worker.ts"] })
  ])
  for (const name of readdirSync(out).filter((name) => name.endsWith(".js"))) {
    const path = join(out, name)
    const text = readFileSync(path, "utf8")
    if (text.includes("highlight.worker.ts")) {
      writeFileSync(path, text.replaceAll("highlight.worker.ts", "highlight.worker.js"))
    }
  }
  for (const name of readdirSync(join(types, "react"))) {
    if (!/Body/.test(name)) cpSync(join(types, "react", name), join(out, name))
  }
  const { code } = await build({
    stdin: { contents: scoped(), loader: "css" },
    minify: true,
    write: false,
    logLevel: "warning"
  })
    .then(({ outputFiles }) => ({ code: outputFiles[0].text }))
  writeFileSync(join(out, "style.css"), code)
  // So that TypeScript takes the import of it.
  writeFileSync(join(out, "style.css.d.ts"), "export {}\n")
  return [...Object.keys(metafile.inputs), ...Object.keys(worker.metafile.inputs)]
    .map((path) => path.replace(/^mermaid:/, ""))
}

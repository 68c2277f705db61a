/**
 * mermaid: `@mermaid-js/tiny` is a script that leaves a global behind; as a module it is loaded with the first diagram. It is made
 * for browsers and small already: the console's build takes it as it is, since Rollup would read it for a minute.
 */
import { createHash } from "node:crypto"
import { readFileSync } from "node:fs"
import { createRequire } from "node:module"

const name = "@mermaid-js/tiny"
const path = createRequire(import.meta.url).resolve(name)
const ending = `globalThis["mermaid"] = globalThis.__esbuild_esm_mermaid_nm["mermaid"].default;`

const asModule = () => {
  const text = readFileSync(path, "utf8")
  if (!text.includes(ending)) throw new Error(`${path} ends otherwise than we know: see scripts/mermaid.mjs`)
  return text.replace(ending, `export default __esbuild_esm_mermaid_nm["mermaid"].default;`)
}

/** For Vite: a file beside the others, imported by its address. */
export const mermaidForVite = () => {
  const source = asModule()
  const fileName = `assets/mermaid-${createHash("sha256").update(source).digest("hex").slice(0, 8)}.js`
  return {
    name: "mermaid-as-module",
    enforce: "pre",
    resolveId: (id) => id === name ? { id: `/${fileName}`, external: "absolute" } : null,
    generateBundle() {
      this.emitFile({ type: "asset", fileName, source, originalFileName: path })
    }
  }
}

export const mermaidForEsbuild = {
  name: "mermaid-as-module",
  setup({ onLoad, onResolve }) {
    onResolve({ filter: new RegExp(`^${name}$`) }, () => ({ path, namespace: "mermaid" }))
    onLoad({ filter: /.*/, namespace: "mermaid" }, () => ({ contents: asModule(), loader: "js" }))
  }
}

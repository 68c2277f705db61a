/**
 * mergeStart: puts what every start reads into one file, and makes CommonJS of everything.
 *
 * esbuild makes a file of whatever the same lazily loaded parts share, twenty that every start would read, a millisecond
 * each. Rollup can be told what goes together; nothing else is changed.
 */
import { rollup } from "rollup"

/** The files that are read with this one, itself among them. `modules`: file by file, what it imports at once. */
const readWith = (modules, file, seen = new Set()) => {
  if (seen.has(file)) return seen
  seen.add(file)
  for (const imported of modules(file)) readWith(modules, imported, seen)
  return seen
}

/**
 * `texts`: modules of one folder, by file name; `entry` imports `main` when it runs. Answers the files to be written in
 * their place, by name, and the bytes that every start reads.
 */
export const mergeStart = async ({ entry, main, texts }) => {
  const own = (id) => id.replace(/^\.\//, "")
  const bundle = await rollup({
    input: entry,
    treeshake: false,
    makeAbsoluteExternalsRelative: false,
    plugins: [{
      name: "in-memory",
      // What lies elsewhere is imported as it was.
      resolveId: (id) => texts[own(id)] === undefined ? { id, external: true } : own(id),
      load: (id) => texts[id],
      resolveImportMeta: (property) =>
        property === "url" ? "require(\"node:url\").pathToFileURL(__filename).href" : null
    }]
  })
  try {
    const { output } = await bundle.generate({
      format: "cjs",
      compact: true,
      generatedCode: "es2015",
      interop: "auto",
      dynamicImportInCjs: false,
      entryFileNames: "[name].cjs",
      // Without the hash that esbuild has given it: what it imports has another name now.
      chunkFileNames: ({ name }) => `${name.replace(/-[0-9A-Z]{8}$/, "")}-[hash].cjs`,
      manualChunks: (id, { getModuleInfo }) => {
        const modules = (file) => getModuleInfo(file)?.importedIds ?? []
        // The entry runs before all else is read: it says how.
        if (!readWith(modules, main).has(id) || id === entry) return undefined
        // Named, or it would be taken into a chunk with all that uses it, which the entry would then read first.
        return readWith(modules, entry).has(id) ? "cli-entry" : "cli-start"
      }
    })
    const files = Object.fromEntries(output.map(({ code, fileName }) => [fileName, code]))
    const importsOf = (file) => output.find(({ fileName }) => fileName === file)?.imports ?? []
    const start = output.find(({ name }) => name === "cli-start").fileName
    const atStart = readWith(importsOf, start, readWith(importsOf, entry))
    const startBytes = [...atStart].reduce((bytes, file) => bytes + Buffer.byteLength(files[file] ?? ""), 0)
    return { files, startBytes }
  } finally {
    await bundle.close()
  }
}

/**
 * mergeStart: puts what every start reads into one file.
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
      load: (id) => texts[id]
    }]
  })
  try {
    const { output } = await bundle.generate({
      format: "es",
      compact: true,
      entryFileNames: "[name].mjs",
      // Without the hash that esbuild has given it: what it imports has another name now.
      chunkFileNames: ({ name }) => `${name.replace(/-[0-9A-Z]{8}$/, "")}-[hash].mjs`,
      manualChunks: (id, { getModuleInfo }) =>
        readWith((file) => getModuleInfo(file)?.importedIds ?? [], main).has(id) ? "cli-start" : undefined
    })
    const files = Object.fromEntries(output.map(({ code, fileName }) => [fileName, code]))
    const atStart = output.filter(({ name }) => name === "cli" || name === "cli-start")
    return { files, startBytes: atStart.reduce((bytes, { code }) => bytes + Buffer.byteLength(code), 0) }
  } finally {
    await bundle.close()
  }
}

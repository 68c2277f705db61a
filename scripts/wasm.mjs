/**
 * wasm: `npm run wasm` writes src/adapters/wire/plainTextWasm.ts, the bytes of plainText.wat.
 * `test/adapters/wire/jsonBytes.test.ts` fails when they are not what the source says.
 */
import { readFileSync, writeFileSync } from "node:fs"
import { argv } from "node:process"
import { fileURLToPath } from "node:url"
import loadWabt from "wabt"

const fileOf = (name) => fileURLToPath(new URL(`../src/adapters/wire/${name}`, import.meta.url))

export const generated = fileOf("plainTextWasm.ts")

/** What the generated file should say. */
export const generate = async () => {
  const name = "plainText.wat"
  const source = (await loadWabt()).parseWat(name, readFileSync(fileOf(name), "utf8"), { simd: true })
  const base64 = Buffer.from(source.toBinary({}).buffer).toString("base64")
  const lines = (base64.match(/.{1,100}/g) ?? []).map((line) => `  "${line}"`)
  return `/** plainTextWasm: \`plainText.wat\` as WebAssembly, in base64. Made by \`npm run wasm\`. */
export const plainTextWasm = [
${lines.join(",\n")}
].join("")
`
}

if (argv[1] === fileURLToPath(import.meta.url)) writeFileSync(generated, await generate())

/**
 * licenses: what the parts of the package are made of, and on what terms: the licence texts of every package that went into a
 * bundle, and a list of them (CycloneDX). A package whose terms are not known stops the build: whoever passes it on must pass
 * them on.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join, relative, resolve } from "node:path"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("..", import.meta.url))

/** Texts of those that name their licence and do not enclose it. */
const texts = {
  MIT:
    `Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
documentation files (the "Software"), to deal in the Software without restriction, including without limitation the rights to
use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the
Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES
OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE
LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN
CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.`,
  ISC:
    `Permission to use, copy, modify, and/or distribute this software for any purpose with or without fee is hereby granted,
provided that the above copyright notice and this permission notice appear in all copies.

THE SOFTWARE IS PROVIDED "AS IS" AND THE AUTHOR DISCLAIMS ALL WARRANTIES WITH REGARD TO THIS SOFTWARE INCLUDING ALL IMPLIED
WARRANTIES OF MERCHANTABILITY AND FITNESS. IN NO EVENT SHALL THE AUTHOR BE LIABLE FOR ANY SPECIAL, DIRECT, INDIRECT, OR
CONSEQUENTIAL DAMAGES OR ANY DAMAGES WHATSOEVER RESULTING FROM LOSS OF USE, DATA OR PROFITS, WHETHER IN AN ACTION OF CONTRACT,
NEGLIGENCE OR OTHER TORTIOUS ACTION, ARISING OUT OF OR IN CONNECTION WITH THE USE OR PERFORMANCE OF THIS SOFTWARE.`
}

const nameOf = (author) => typeof author === "string" ? author : author?.name
/** Licence, notices and copyrights, however they are called. */
const isPaper = (file) => /^(licen[cs]e|copying|notice|ofl)([.-]|$)/i.test(file)

/** The folders of packages in these paths, which are below `base`. */
const foldersIn = (inputs, base) =>
  [
    ...new Set(
      inputs.flatMap((path) =>
        relative(base, resolve(base, path)).match(/^.*node_modules\/(@[^/]+\/)?[^/]+/)?.[0] ?? []
      )
    )
  ].toSorted()

const readPackage = (folder) => JSON.parse(readFileSync(join(folder, "package.json"), "utf8"))

/** The terms of one package; throws when it does not say any. */
export const termsOf = (folder) => {
  const { author, contributors = [], license, name, version } = readPackage(folder)
  const papers = readdirSync(folder).filter(isPaper).toSorted()
  if (papers.some((file) => !/^notice/i.test(file))) {
    return papers.map((file) => readFileSync(join(folder, file), "utf8").trim()).join("\n\n")
  }
  const holder = nameOf(author) ?? nameOf(contributors[0])
  const text = texts[license]
  if (text === undefined || holder === undefined) {
    throw new Error(
      `${name} ${version} (${
        license ?? "no licence named"
      }) encloses no licence text: find out its terms, and give them in `
        + "scripts/licenses.mjs"
    )
  }
  return `${license} License\n\nCopyright (c) ${holder}\n\n${text}`
}

/** The terms of all packages these inputs are of. */
export const licensesOf = (inputs, base = root) =>
  foldersIn(inputs, base).map((folder) => {
    const { name, version } = readPackage(join(base, folder))
    return `${name} ${version}\n\n${termsOf(join(base, folder))}\n`
  }).join(`\n${"-".repeat(80)}\n\n`)

const toLicense = (license) =>
  typeof license !== "string"
    ? []
    : /[ ()]/.test(license)
    ? [{ expression: license }]
    : [{ license: { id: license } }]

const digestOf = (integrity) => {
  const [, algorithm, digest] = /^sha(\d+)-(.+)$/.exec(integrity ?? "") ?? []
  return digest === undefined
    ? {}
    : { hashes: [{ alg: `SHA-${algorithm}`, content: Buffer.from(digest, "base64").toString("hex") }] }
}

/** What is in the package, as CycloneDX: everything that was bundled, and what it depends on. It is the same for the same lock file. */
export const sbomOf = (inputs, base = root) => {
  const { license, name, version } = readPackage(base)
  const lock = JSON.parse(readFileSync(join(base, "package-lock.json"), "utf8"))
  const needed = Object.entries(lock.packages).flatMap(([folder, { dev, devOptional, optional, peer }]) =>
    folder !== "" && !dev && !devOptional && !optional && !peer ? [folder] : []
  )
  const folders = [...new Set([...foldersIn(inputs, base), ...needed])].toSorted()
  const purlOf = (name, version) => `pkg:npm/${name.replace(/^@/, "%40")}@${version}`
  return {
    bomFormat: "CycloneDX",
    specVersion: "1.5",
    version: 1,
    metadata: {
      component: {
        type: "application",
        "bom-ref": purlOf(name, version),
        name,
        version,
        purl: purlOf(name, version),
        licenses: toLicense(license)
      }
    },
    components: folders.filter((folder) => existsSync(join(base, folder))).map((folder) => {
      const { license, name, version } = readPackage(join(base, folder))
      const purl = purlOf(name, version)
      return {
        type: "library",
        "bom-ref": folder === `node_modules/${name}` ? purl : `${purl}#${folder}`,
        name,
        version,
        purl,
        scope: "required",
        licenses: toLicense(license),
        ...digestOf(lock.packages[folder]?.integrity)
      }
    })
  }
}

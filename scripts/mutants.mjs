/**
 * mutants: `npm run mutants -- [--most N] [GROUP…]` changes one small thing in the sources at a time and sees whether a test notices.
 *
 * All changes of a group are built into one bundle beside its tests, each behind a switch (`__m(7) ? changed : original`), so that
 * nothing is loaded twice: first every test runs unchanged and remembers which switches it came by, then each change is tried with
 * the tests that came by it until one fails. What survives is printed with its place, for a person to read: a gap in the tests, or
 * a change that makes no difference. A change that hangs is ended and counts as noticed.
 */
import { build } from "esbuild"
import { fork } from "node:child_process"
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join, relative } from "node:path"
import { fileURLToPath } from "node:url"
import ts from "typescript"
import { embeddedSources } from "./embeddedSources.mjs"

const root = fileURLToPath(new URL("..", import.meta.url))
const out = join(root, "node_modules/.cache/ai-relay/mutants")

/** What is changed, and the tests that should notice. */
const groups = {
  log: {
    sources: "src/services/log",
    tests: [
      ...["EventLog", "EventStore", "SessionSummary", "deltaWords", "eventJson", "frames"].map((
        name
      ) => `test/services/log/${name}.test.ts`),
      "test/services/journal/Journal.test.ts",
      "test/services/session/Session.test.ts"
    ]
  },
  session: {
    sources: "src/services/session",
    tests: [
      ...["Commands", "Drivers", "PermissionBroker", "Reopening", "Session", "SessionRegistry"].map((name) =>
        `test/services/session/${name}.test.ts`
      ),
      ...["budget/BudgetGuard", "budget/VendorLimit", "schedule/Scheduler"].map((name) =>
        `test/services/${name}.test.ts`
      )
    ]
  },
  codex: {
    sources: "src/adapters/codex",
    tests: [
      ...["CodexAdapter", "ceiling", "contract", "fileChanges", "joined", "limits", "streamPiece", "usage"]
        .map((
          name
        ) => `test/adapters/codex/${name}.test.ts`),
      "test/adapters/cases/codex.test.ts",
      "test/adapters/cases/siblings.test.ts"
    ]
  }
}

const swaps = new Map([
  [ts.SyntaxKind.EqualsEqualsEqualsToken, "!=="],
  [ts.SyntaxKind.ExclamationEqualsEqualsToken, "==="],
  [ts.SyntaxKind.LessThanToken, "<="],
  [ts.SyntaxKind.LessThanEqualsToken, "<"],
  [ts.SyntaxKind.GreaterThanToken, ">="],
  [ts.SyntaxKind.GreaterThanEqualsToken, ">"],
  [ts.SyntaxKind.AmpersandAmpersandToken, "||"],
  [ts.SyntaxKind.BarBarToken, "&&"],
  [ts.SyntaxKind.PlusToken, "-"],
  [ts.SyntaxKind.MinusToken, "+"]
])

const isText = (node) => ts.isStringLiteralLike(node) || ts.isTemplateExpression(node)

/** What an expression could be instead. */
const changesOf = (node, text) => {
  if (ts.isBinaryExpression(node)) {
    const other = swaps.get(node.operatorToken.kind)
    if (other === undefined || (other === "-" && [node.left, node.right].some(isText))) return []
    return [`${text(node.left)} ${other} ${text(node.right)}`]
  }
  if (ts.isPrefixUnaryExpression(node) && node.operator === ts.SyntaxKind.ExclamationToken) {
    return [text(node.operand)]
  }
  if (node.kind === ts.SyntaxKind.TrueKeyword) return ["false"]
  if (node.kind === ts.SyntaxKind.FalseKeyword) return ["true"]
  return []
}

/** A source with a switch for each change; `take` numbers one. */
const withSwitches = (path, take) => {
  const source = readFileSync(path, "utf8")
  const file = ts.createSourceFile(path, source, ts.ScriptTarget.Latest, true)
  const text = (node) => source.slice(node.getStart(file), node.end)
  const number = (node, change) =>
    take({
      path,
      line: file.getLineAndCharacterOfPosition(node.getStart(file)).line + 1,
      was: text(node),
      change
    })
  const render = (node, inside) => {
    if (
      ts.isTypeNode(node) || ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node) ||
      ts.isImportDeclaration(node)
    ) {
      return source.slice(node.pos, node.end)
    }
    const within = inside || (ts.isFunctionLike(node) && node.body !== undefined)
    let at = node.pos
    let whole = ""
    ts.forEachChild(node, (child) => {
      whole += source.slice(at, child.pos) + render(child, within)
      at = child.end
    })
    whole += source.slice(at, node.end)
    if (!inside) return whole
    const lead = node.getStart(file) - node.pos
    const [blank, code] = [whole.slice(0, lead), whole.slice(lead)]
    if (ts.isExpressionStatement(node)) {
      const called = ts.isYieldExpression(node.expression) ? node.expression.expression : node.expression
      const id = called !== undefined && ts.isCallExpression(called) ? number(node, "") : undefined
      // A line that begins with a bracket would go on with the one before.
      const first = ts.isBlock(node.parent) || ts.isSourceFile(node.parent) ? ";" : ""
      const bare = code.replace(/;\s*$/, "")
      return `${blank}${first}${id === undefined ? bare : `(__m(${id}) ? undefined : (${bare}))`};`
    }
    if (!ts.isExpression(node)) return whole
    const parts = changesOf(node, text).flatMap((change) => {
      const id = number(node, change)
      return id === undefined ? [] : [`__m(${id}) ? (${change}) : `]
    })
    return parts.length === 0 ? whole : `${blank}(${parts.join("")}(${code}))`
  }
  return render(file, false)
}

/** Every source of a folder with its switches, and what they change; every so many of all there are, the same ones each time. */
const switched = (folder, most) => {
  const files = readdirSync(join(root, folder)).filter((name) => name.endsWith(".ts")).toSorted().map((
    name
  ) => join(root, folder, name))
  const renderAll = (take) => new Map(files.map((path) => [path, withSwitches(path, take)]))
  let total = 0
  renderAll(() => void (total += 1))
  const mutants = []
  let seen = 0
  const sources = renderAll((mutant) => {
    seen += 1
    const isChosen = Math.floor(seen * most / total) !== Math.floor((seen - 1) * most / total)
    return isChosen || most >= total ? mutants.push(mutant) - 1 : undefined
  })
  return { mutants, sources, total }
}

const bundle = async (name, most) => {
  const { sources: folder, tests } = groups[name]
  const { mutants, sources, total } = switched(folder, most)
  const here = {
    name: "switches",
    setup: ({ onLoad, onResolve }) => {
      onLoad({ filter: /\.ts$/ }, ({ path }) => {
        const contents = sources.get(path)
        if (contents !== undefined) return { contents, loader: "ts" }
        // A test looks for fixtures beside itself.
        return path.startsWith(join(root, "test/")) ? { contents: placed(path), loader: "ts" } : undefined
      })
      onResolve({ filter: /^(@effect\/)?vitest$/ }, () => ({ path: join(root, "scripts/mutantTests.mjs") }))
    }
  }
  await build({
    absWorkingDir: root,
    stdin: { contents: tests.map((file) => `import "./${file}"`).join("\n"), resolveDir: root, loader: "ts" },
    bundle: true,
    platform: "node",
    format: "esm",
    packages: "external",
    define: embeddedSources(),
    ignoreAnnotations: true,
    outfile: join(out, `${name}.mjs`),
    logLevel: "error",
    plugins: [here]
  })
  return { mutants, total }
}

const placed = (path) =>
  readFileSync(path, "utf8")
    .replaceAll("import.meta.dirname", JSON.stringify(join(path, "..")))
    .replaceAll("import.meta.url", JSON.stringify(`file://${path}`))

/** Run the bundle's tests for each mutant, in a process that is begun again when one hangs. */
const judge = async (name, mutants) => {
  const verdicts = new Array(mutants.length).fill(undefined)
  let first = 0
  while (first < mutants.length) {
    await new Promise((resolve) => {
      const child = fork(join(out, `${name}.mjs`), [], {
        cwd: root,
        silent: true,
        env: { ...process.env, MUTANTS: `${first}-${mutants.length}` }
      })
      let timer
      let trying
      child.stderr.resume()
      child.stdout.resume()
      child.on("message", (told) => {
        clearTimeout(timer)
        if (told.type === "unchanged") {
          if (told.failed.length > 0) {
            console.log(`  without a change these fail and are left out: ${told.failed.join("; ")}`)
          }
          return
        }
        if (told.type === "trying") {
          trying = told.id
          timer = setTimeout(() => child.kill("SIGKILL"), told.patience)
          return
        }
        verdicts[told.id] = told.verdict
        first = told.id + 1
      })
      child.once("exit", () => {
        clearTimeout(timer)
        if (trying !== undefined && verdicts[trying] === undefined) {
          verdicts[trying] = "hung"
          first = trying + 1
        } else if (trying === undefined) {
          console.log("  the tests do not run in one bundle")
          first = mutants.length
        }
        resolve()
      })
    })
  }
  return verdicts
}

const args = process.argv.slice(2)
const place = args.indexOf("--most")
const most = place < 0 ? 80 : Number(args[place + 1])
const names = args.filter((name) => name in groups)
rmSync(out, { recursive: true, force: true })
mkdirSync(out, { recursive: true })
const report = []
for (const name of names.length > 0 ? names : Object.keys(groups)) {
  const { mutants, total } = await bundle(name, most)
  const verdicts = await judge(name, mutants)
  const count = (verdict) => verdicts.filter((one) => one === verdict).length
  const noticed = count("noticed") + count("hung")
  console.log(
    `${name}: ${mutants.length} of ${total} changes, ${noticed} noticed (${count("hung")} hung), ${
      count("survived")
    } survived, ${count("unreached")} in code no test came by`
  )
  const covered = noticed + count("survived")
  console.log(
    `  score ${(100 * noticed / mutants.length).toFixed(0)} %, of code that tests reach ${
      (100 * noticed / covered).toFixed(0)
    } %`
  )
  mutants.forEach(({ change, line, path, was }, index) => {
    if (verdicts[index] === "noticed" || verdicts[index] === "hung") return
    const short = (words) => words.replaceAll(/\s+/g, " ").slice(0, 90)
    const told = `  ${verdicts[index]} ${relative(root, path)}:${line}  ${short(was)}  →  ${
      change === "" ? "(nothing)" : short(change)
    }`
    report.push(told)
    console.log(told)
  })
}
writeFileSync(join(out, "survivors.txt"), report.join("\n") + "\n")

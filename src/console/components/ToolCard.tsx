/**
 * ToolCard: a tool call: what it does, a person's decision, its live output, its result, and the files it
 * changed.
 */
import { Check, CircleSlash, Hand, LoaderCircle, Minus, X } from "lucide-react"
import { type ReactNode, useEffect, useMemo, useRef } from "react"
import { open, text } from "../../messages/read.js"
import type { AskItem, Decided, ToolItem } from "../../messages/View.js"
import { w } from "../words/words.js"
import { decidedText } from "./AskCard.js"
import { DiffView } from "./DiffView.js"
import { Exact } from "./Exact.js"
import { Fold } from "./Fold.js"
import { inOneLine } from "./hiddenChars.js"
import { LongText } from "./LongText.js"
import { Markdown } from "./Markdown.js"
import { short, toJson } from "./plain.js"
import { Portion } from "./Portion.js"
import { proposedDiff } from "./proposal.js"
import { commandOf, kindOfTool, subjectInPieces, type ToolKind, toolSubject, toolVerb } from "./toolWords.js"
import { duration } from "./words.js"

type State = ToolItem["state"] | "asking" | "denied"

const icons = {
  ok: Check,
  error: X,
  stopped: Minus,
  running: LoaderCircle,
  preparing: LoaderCircle,
  asking: Hand,
  denied: CircleSlash
}

export const StateIcon = ({ state }: { readonly state: State }) => {
  const Icon = icons[state]
  return (
    <span className="tool-state" data-state={state}>
      <Icon size={14} strokeWidth={2.5} aria-hidden />
      <span className="visually-hidden">{w.toolState[state]}</span>
    </span>
  )
}

/** A denied tool's message does not count as a failure. */
const stateOf = ({ decided, state }: ToolItem): State =>
  decided?.verdict === "asked" && (state === "running" || state === "preparing")
    ? "asking"
    : decided?.verdict === "denied" || decided?.verdict === "cancelled"
    ? "denied"
    : state

/** Output stays scrolled to its end while it grows. */
const Output = ({ text }: { readonly text: string }) => {
  const box = useRef<HTMLPreElement>(null)
  useEffect(() => {
    if (box.current !== null) box.current.scrollTop = box.current.scrollHeight
  }, [text])
  return (
    <pre
      className="tool-output"
      ref={box}
      tabIndex={0}
      aria-label={w.output}
    ><LongText text={text} exact /></pre>
  )
}

/** Tags an agent puts around output for its model. */
const withoutTags = (output: string): string =>
  output.replace(/^\s*<(tool_use_error|persisted-output|error|system-reminder)>([^]*?)<\/\1>\s*$/, "$2")
    .trimEnd()

/** Claude reports it in the output. */
const exitIn = (output: string): number | undefined => {
  const code = /^(?:Error: )?Exit code (\d+)(?:\n|$)/.exec(output)?.[1]
  return code === undefined ? undefined : Number(code)
}

const asksOf: Partial<Record<ToolKind, AskItem["ask"]>> = { question: "question", exitPlan: "plan" }

const Command = ({ command }: { readonly command: string }) => (
  <pre className="tool-command"><span aria-hidden>$ </span><LongText text={command} exact /></pre>
)

/** A tool's input in its most readable form. */
const Input = ({ args, kind }: { readonly args: unknown; readonly kind: ToolKind }) => {
  const command = commandOf(args)
  if (command !== undefined && kind === "shell") return <Command command={command} />
  const plan = kind === "exitPlan" ? text(open(args)["plan"]) : undefined
  if (plan !== undefined) {
    return (
      <div className="tool-plan">
        <Markdown text={plan} whole />
      </div>
    )
  }
  return <pre className="tool-args"><LongText text={toJson(args)} exact /></pre>
}

const Said = ({ children, text }: { readonly text: string; readonly children: ReactNode }) => (
  <>
    <p className="tool-said">{text}</p>
    {children}
  </>
)

/** The answers with their questions. */
const Answers = ({ answers }: { readonly answers: NonNullable<Decided["answers"]> }) => (
  <dl className="tool-answers">
    {Object.entries(answers).map(([question, answer]) => (
      <div key={question}>
        <dt>
          <Exact text={question} />
        </dt>
        <dd>
          <Exact text={answer} />
        </dd>
      </div>
    ))}
  </dl>
)

/** A call as one line. */
const lineOf = ({ args, input, tool }: ToolItem, folder: string): string =>
  `${tool === "" ? w.preparing : toolVerb(tool)} ${
    inOneLine(short(toolSubject(args, tool, folder) || subjectInPieces(input)))
  }`

/** A subagent's calls: how many, the current one, and all of them when expanded. */
const Steps = (
  { folder, items, live, name }: {
    readonly items: ReadonlyArray<ToolItem>
    readonly folder: string
    readonly name: string
    readonly live: boolean
  }
) => {
  const last = items.at(-1)
  const failed = items.filter(({ state }) => state === "error").length
  return (
    <div className="tool-steps">
      <Fold
        name={name}
        summary={
          <>
            <span>{w.stepCount(items.length)}</span>
            {failed > 0 && <span className="exit">{w.stepsFailed(failed)}</span>}
            {live && last !== undefined && <span className="tool-subject">{lineOf(last, folder)}</span>}
          </>
        }
      >
        <Portion all={items}>{(item) => <ToolCard key={item.key} item={item} folder={folder} />}</Portion>
      </Fold>
    </div>
  )
}

interface Props {
  readonly item: ToolItem
  readonly folder: string
  /** The calls of the subagent it started. */
  readonly inner?: ReadonlyArray<ToolItem> | undefined
}

export const ToolCard = ({ folder, inner, item }: Props) => {
  const { args, decided, diffs, ended_at, exit_code, input, key, parent, progress, tool, ts } = item
  const state = stateOf(item)
  const live = state === "running" || state === "preparing"
  const kind = kindOfTool(tool)
  const output = withoutTags(item.output)
  const ran = decided?.updated !== undefined && decided.updated !== true ? decided.updated : undefined
  const ask = asksOf[kind] ?? "tool"
  const subject = ask !== "tool" && decided !== undefined && state !== "asking"
    ? decidedText({ ask, decided })
    : inOneLine(short(toolSubject(ran ?? args, tool, folder) || subjectInPieces(input)))
  const exit = exit_code ?? (item.state === "error" ? exitIn(output) : undefined)
  const isSettled = decided !== undefined && decided.verdict !== "asked"
  const took = ended_at === undefined || isSettled ? 0 : ended_at - ts
  const unapplied = useMemo(
    () => kind === "edit" && state === "denied" && diffs.length === 0 ? proposedDiff(args) : undefined,
    [args, diffs, kind, state]
  )
  const showsInput = args !== undefined && diffs.length === 0 && unapplied === undefined &&
    kind !== "question"
  return (
    <div className="tool" data-state={state} data-nested={parent !== undefined}>
      <Fold
        name={key}
        open={(live && output !== "") || (state === "error" && output !== "")}
        summary={
          <>
            <StateIcon state={state} />
            <span className="tool-verb">{tool === "" ? w.preparing : toolVerb(tool)}</span>
            <span className="tool-subject">{subject}</span>
            {live && progress !== "" && <span className="muted tool-progress">{short(progress)}</span>}
            {isSettled && ask === "tool" && (
              <span className="tool-decided" data-verdict={decided.verdict}>
                {decidedText({ ask, decided })}
              </span>
            )}
            {exit !== undefined && exit !== 0 && <span className="exit">{w.exit(exit)}</span>}
            {took >= 1 && <span className="muted tool-took">{duration(Math.round(took))}</span>}
          </>
        }
      >
        {decided?.answers !== undefined && <Answers answers={decided.answers} />}
        {ran !== undefined && (
          <>
            <Said text={w.ranInstead}>
              <Input args={ran} kind={kind} />
            </Said>
            <Said text={w.agentAsked}>
              <Input args={args} kind={kind} />
            </Said>
          </>
        )}
        {decided?.updated === true && <p className="tool-said">{w.ranOther}</p>}
        {ran === undefined && showsInput && <Input args={args} kind={kind} />}
        {unapplied !== undefined && (
          <Said text={w.notChanged}>
            <DiffView {...unapplied} />
          </Said>
        )}
        {output !== "" && decided?.answers === undefined && <Output text={output} />}
      </Fold>
      {inner !== undefined && <Steps items={inner} folder={folder} name={`${key} steps`} live={live} />}
      <Portion all={diffs} most={50}>
        {(diff, index) => <DiffView key={`${diff.file_path}-${index}`} {...diff} />}
      </Portion>
    </div>
  )
}

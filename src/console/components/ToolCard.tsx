/** ToolCard: a tool call: what it does, its live output, how it ended, the files it changed. */
import { Check, LoaderCircle, Minus, X } from "lucide-react"
import { useEffect, useRef } from "react"
import type { ToolItem } from "../model/View.js"
import { DiffView } from "./DiffView.js"
import { Fold } from "./Fold.js"
import { commandOf, subjectInPieces, toolSubject, toolVerb } from "./toolWords.js"

const StateIcon = ({ state }: { readonly state: ToolItem["state"] }) => {
  const icons = { ok: Check, error: X, stopped: Minus, running: LoaderCircle, preparing: LoaderCircle }
  const words = {
    ok: "done",
    error: "failed",
    stopped: "stopped",
    running: "running",
    preparing: "being prepared"
  }
  const Icon = icons[state]
  return (
    <span className="tool-state" data-state={state}>
      <Icon size={14} strokeWidth={2.5} aria-hidden />
      <span className="visually-hidden">{words[state]}</span>
    </span>
  )
}

/** Output stays at its end while it grows. */
const Output = ({ text }: { readonly text: string }) => {
  const box = useRef<HTMLPreElement>(null)
  useEffect(() => {
    if (box.current !== null) box.current.scrollTop = box.current.scrollHeight
  }, [text])
  return <pre className="tool-output" ref={box} tabIndex={0} aria-label="Output">{text}</pre>
}

export const ToolCard = ({ item }: { readonly item: ToolItem }) => {
  const { args, diffs, exit_code, input, key, output, progress, state, tool } = item
  const live = state === "running" || state === "preparing"
  const subject = toolSubject(args) || subjectInPieces(input)
  const command = commandOf(args)
  const plain = command === undefined && args !== undefined && diffs.length === 0
  return (
    <div className="tool" data-state={state}>
      <Fold
        name={key}
        open={(live && output !== "") || (state === "error" && output !== "")}
        summary={
          <>
            <StateIcon state={state} />
            <span className="tool-verb">{tool === "" ? "Preparing" : toolVerb(tool)}</span>
            <span className="tool-subject">{subject}</span>
            {live && progress !== "" && <span className="muted tool-progress">{progress}</span>}
            {exit_code !== undefined && exit_code !== 0 && <span className="exit">exit {exit_code}</span>}
          </>
        }
      >
        {command !== undefined && <pre className="tool-command"><span aria-hidden>$ </span>{command}</pre>}
        {plain && <pre className="tool-args">{JSON.stringify(args, null, 2)}</pre>}
        {output !== "" && <Output text={output} />}
      </Fold>
      {diffs.map((diff, index) => <DiffView key={`${diff.file_path}-${index}`} {...diff} />)}
    </div>
  )
}

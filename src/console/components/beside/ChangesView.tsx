/**
 * ChangesView: the working tree as git sees it: each file's diff, and a commit of selected files.
 */
import { FileText, GitBranch, Minus, Plus, RotateCw } from "lucide-react"
import { type FormEvent, useCallback, useEffect, useId, useMemo, useRef, useState } from "react"
import type { ChangedFile, Changes } from "../../../schema/WorkspaceAnswers.js"
import { Refused } from "../../relay/http.js"
import { problemOf } from "../../relay/problem.js"
import * as workspace from "../../relay/workspace.js"
import { w } from "../../words/words.js"
import { DiffView } from "../DiffView.js"
import { inOneLine } from "../hiddenChars.js"
import { IconButton } from "../IconButton.js"
import { Portion } from "../Portion.js"
import { useMay } from "../rights.js"
import { lastPart } from "../words.js"
import { useAnswer } from "./useAnswer.js"

interface Props {
  readonly session_id: string
  /** A turn is running. */
  readonly turn: boolean
  /** Grows as the conversation does. */
  readonly seen: number
  readonly onOpen: (path: string) => void
}

type Group = "conflicts" | "staged" | "unstaged"

interface Row {
  readonly group: Group
  readonly file: ChangedFile
  readonly kind: keyof typeof w.beside.kinds
  /** What to compare with. */
  readonly against: string
}

const groups = ["conflicts", "staged", "unstaged"] as const

const rowsOf = ({ files }: Changes, against: string | undefined): ReadonlyArray<Row> =>
  files.flatMap((file): ReadonlyArray<Row> =>
    file.conflict === true
      ? [{ group: "conflicts", file, kind: "conflict", against: "unstaged" }]
      : [
        ...file.staged === undefined
          ? []
          : [{ group: "staged" as const, file, kind: file.staged, against: "staged" }],
        ...file.unstaged === undefined
          ? []
          : [{ group: "unstaged" as const, file, kind: file.unstaged, against: against ?? "unstaged" }],
        ...file.untracked === true
          ? [{ group: "unstaged" as const, file, kind: "untracked" as const, against: against ?? "unstaged" }]
          : []
      ]
  )

const DiffOf = (
  { row, session_id, version }: { readonly row: Row; readonly session_id: string; readonly version: unknown }
) => {
  const { against, file: { from, path } } = row
  const ask = useCallback(
    () => workspace.diff(session_id, path, against, from),
    // Requested again together with the list.
    [against, from, path, session_id, version]
  )
  const { problem, value } = useAnswer(ask)
  if (problem !== undefined) return <p className="beside-note" role="alert">{problem}</p>
  if (value === undefined) return <p className="beside-note" aria-busy="true">{w.beside.loading}</p>
  if (value.too_large) return <p className="beside-note">{w.beside.tooLarge}</p>
  if (value.binary) return <p className="beside-note">{w.beside.binaryDiff}</p>
  return value.diff.trim() === "" || !value.diff.includes("@@")
    ? <p className="beside-note">{w.beside.noLines}</p>
    : <DiffView diff={value.diff} file_path={path} />
}

/** How soon to check for changes after they were reported, in ms. */
const soonMs = 1200

export const ChangesView = ({ onOpen, seen, session_id, turn }: Props) => {
  const may = useMay()
  const id = useId()
  const [wanted, setWanted] = useState("")
  const [against, setAgainst] = useState<string>()
  const ask = useCallback(() => workspace.changes(session_id, against), [against, session_id])
  const { again, problem, value } = useAnswer(ask)
  const [open, setOpen] = useState<string>()
  const [left, setLeft] = useState<ReadonlySet<string>>(new Set())
  const [stageProblem, setStageProblem] = useState<string>()
  const rows = useMemo(() => value === undefined ? [] : rowsOf(value, against), [against, value])

  const known = useRef({ seen, turn })
  useEffect(() => {
    const before = known.current
    if (before.turn === turn && before.seen === seen) return
    known.current = { seen, turn }
    if (before.turn !== turn) again()
    const timer = setTimeout(again, soonMs)
    return () => clearTimeout(timer)
  }, [again, seen, turn])
  useEffect(() => {
    addEventListener("focus", again)
    return () => removeEventListener("focus", again)
  }, [again])

  if (value === undefined) {
    return problem === undefined
      ? <p className="beside-note" aria-busy="true">{w.beside.loading}</p>
      : <p className="beside-note" role="alert">{problem}</p>
  }
  if (!value.repository) return <p className="beside-note">{w.beside.noRepository}</p>

  const mayCommit = may("prompt") && against === undefined && value.under_way === undefined
  const stage = async (rows: ReadonlyArray<Row>, staged: boolean) => {
    setStageProblem(undefined)
    try {
      await workspace.stage(session_id, namesOf(rows), staged)
    } catch (error) {
      setStageProblem(problemOf(error))
    }
    again()
  }
  const toggle = (path: string) => {
    const next = new Set(left)
    if (!next.delete(path)) next.add(path)
    setLeft(next)
  }
  const paths = [...new Set(rows.map(({ file }) => file.path))]
  const chosen = rows.filter(({ file, group }) => group !== "conflicts" && !left.has(file.path))
  return (
    <div className="changes">
      <div className="changes-head">
        <span className="changes-branch" title={value.head}>
          <GitBranch size={15} aria-hidden />{" "}
          {value.branch === undefined ? w.beside.noBranch : inOneLine(value.branch)}
        </span>
        <form
          className="changes-against"
          onSubmit={(event) => {
            event.preventDefault()
            setAgainst(wanted.trim() || undefined)
          }}
        >
          <input
            value={wanted}
            onChange={({ target }) => {
              setWanted(target.value)
              // A choice from the list applies at once; typed text waits for Enter.
              const text = target.value.trim()
              if (text === "" || value.branches.includes(text)) setAgainst(text || undefined)
            }}
            list={`${id}-branches`}
            placeholder={w.beside.compare}
            aria-label={w.beside.compare}
            spellCheck={false}
            autoCapitalize="off"
            autoComplete="off"
          />
          <datalist id={`${id}-branches`}>
            {value.branches.map((name) => <option key={name} value={name} />)}
          </datalist>
        </form>
        <IconButton label={w.beside.refresh} onClick={again}>
          <RotateCw size={15} aria-hidden />
        </IconButton>
      </div>
      {problem !== undefined && <p className="beside-note" role="alert">{problem}</p>}
      {stageProblem !== undefined && <p className="beside-note" role="alert">{stageProblem}</p>}
      {value.under_way !== undefined && (
        <p className="beside-note" data-level="warning">{w.beside.underWay[value.under_way]}</p>
      )}
      <div className="beside-scroll" tabIndex={0} role="region" aria-label={w.beside.changes}>
        {rows.length === 0 && problem === undefined && (
          <p className="beside-note" role="status">
            {against === undefined ? w.beside.noChanges : w.beside.noChangesAgainst(inOneLine(against))}
          </p>
        )}
        {groups.map((group) => {
          const mine = rows.filter((row) => row.group === group)
          if (mine.length === 0) return null
          return (
            <section key={group} aria-labelledby={`${id}-${group}`}>
              <div className="changes-group">
                <h3 id={`${id}-${group}`}>
                  {group === "unstaged" && against !== undefined
                    ? w.beside.against(inOneLine(against))
                    : w.beside.groups[group]} <small>{mine.length.toLocaleString(w.locale)}</small>
                </h3>
                {mayCommit && group !== "conflicts" && (
                  <button
                    type="button"
                    className="link"
                    onClick={() => void stage(mine, group === "unstaged")}
                  >
                    {group === "unstaged" ? w.beside.stageAll : w.beside.unstageAll}
                  </button>
                )}
              </div>
              <ul>
                <Portion all={mine} most={200}>
                  {(row) => {
                    const { file: { from, path }, kind } = row
                    const key = `${group} ${path}`
                    const name = inOneLine(path)
                    return (
                      <li key={key}>
                        <div className="change-row">
                          {mayCommit && group !== "conflicts" && (
                            <input
                              type="checkbox"
                              checked={!left.has(path)}
                              onChange={() => toggle(path)}
                              aria-label={w.beside.include(name)}
                            />
                          )}
                          <button
                            type="button"
                            className="change-name"
                            aria-expanded={open === key}
                            onClick={() => setOpen(open === key ? undefined : key)}
                            title={from === undefined ? name : `${inOneLine(from)} → ${name}`}
                          >
                            <span>{inOneLine(lastPart(path))}</span>
                            <small>{inOneLine(workspace.folderOf(path))}</small>
                          </button>
                          <small className="change-kind" data-kind={kind}>{w.beside.kinds[kind]}</small>
                          {mayCommit && group !== "conflicts" && (
                            <StageButton
                              name={name}
                              isStaged={group === "staged"}
                              onClick={() => void stage([row], group === "unstaged")}
                            />
                          )}
                          {kind !== "deleted" && (
                            <button
                              type="button"
                              className="icon-button small"
                              onClick={() => onOpen(path)}
                              aria-label={w.beside.open(name)}
                              title={w.beside.open(name)}
                            >
                              <FileText size={14} aria-hidden />
                            </button>
                          )}
                        </div>
                        {open === key && <DiffOf row={row} session_id={session_id} version={value} />}
                      </li>
                    )
                  }}
                </Portion>
              </ul>
            </section>
          )
        })}
        {value.truncated && <p className="beside-note">{w.beside.moreEntries}</p>}
      </div>
      {mayCommit && paths.length > 0 && (
        <CommitForm
          session_id={session_id}
          files={chosen}
          staged={rows.filter(({ group }) => group === "staged").length}
          onCommitted={() => {
            setLeft(new Set())
            setOpen(undefined)
            again()
          }}
        />
      )}
    </div>
  )
}

interface StageProps {
  readonly name: string
  readonly isStaged: boolean
  readonly onClick: () => void
}

const StageButton = ({ isStaged, name, onClick }: StageProps) => {
  const label = isStaged ? w.beside.unstage(name) : w.beside.stage(name)
  const Icon = isStaged ? Minus : Plus
  return (
    <button type="button" className="icon-button small" onClick={onClick} aria-label={label} title={label}>
      <Icon size={14} aria-hidden />
    </button>
  )
}

interface CommitProps {
  readonly session_id: string
  /** Files to commit as they are on disk. */
  readonly files: ReadonlyArray<Row>
  /** Number of staged files. */
  readonly staged: number
  readonly onCommitted: () => void
}

/** A renamed file is committed together with its old name. */
const namesOf = (rows: ReadonlyArray<Row>): ReadonlyArray<string> => [
  ...new Set(
    rows.flatMap(({ file: { from, path }, kind }) =>
      from === undefined || kind === "copied" ? [path] : [path, from]
    )
  )
]

/** Unsent text, by session: closing the pane loses nothing. */
const drafts = new Map<string, string>()

const CommitForm = ({ files, onCommitted, session_id, staged }: CommitProps) => {
  const [message, setMessageOnly] = useState(drafts.get(session_id) ?? "")
  const setMessage = (message: string) => {
    setMessageOnly(message)
    drafts.set(session_id, message)
  }
  const [isBusy, setBusy] = useState(false)
  const [problem, setProblem] = useState<string>()
  /** A commit that was refused because it would run programs. */
  const [offersWithout, setOffersWithout] = useState<"files" | "staged">()
  const [done, setDone] = useState<string>()
  const id = useId()
  const count = new Set(files.map(({ file }) => file.path)).size
  const commit = async (what: "files" | "staged", hooks?: boolean) => {
    setBusy(true)
    setProblem(undefined)
    setDone(undefined)
    try {
      const made = await workspace.commit(session_id, {
        message,
        ...(what === "files" && { files: namesOf(files) }),
        ...(hooks !== undefined && { hooks })
      })
      setMessage("")
      setOffersWithout(undefined)
      setDone(w.beside.committed(made.commit.slice(0, 8), made.ran.length))
      onCommitted()
    } catch (error) {
      setProblem(problemOf(error))
      setOffersWithout(
        error instanceof Refused && error.message.includes("`hooks`: false") ? what : undefined
      )
    }
    setBusy(false)
  }
  const onSubmit = (event: FormEvent) => {
    event.preventDefault()
    if (message.trim() !== "" && count > 0 && !isBusy) void commit("files")
  }
  return (
    <form className="commit" onSubmit={onSubmit}>
      <label className="visually-hidden" htmlFor={id}>{w.beside.message}</label>
      <textarea
        id={id}
        rows={2}
        value={message}
        maxLength={20_000}
        placeholder={w.beside.message}
        onChange={({ target }) => setMessage(target.value)}
        onKeyDown={(event) => {
          if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) onSubmit(event)
        }}
      />
      {problem !== undefined && <p className="beside-note" role="alert">{problem}</p>}
      <div className="commit-buttons">
        <span className="commit-done" role="status">{done}</span>
        {offersWithout !== undefined && (
          <button
            type="button"
            className="button small"
            disabled={isBusy || message.trim() === ""}
            onClick={() => void commit(offersWithout, false)}
          >
            {w.beside.withoutHooks}
          </button>
        )}
        {staged > 0 && (
          <button
            type="button"
            className="button small"
            disabled={isBusy || message.trim() === ""}
            onClick={() => void commit("staged")}
          >
            {w.beside.commitStaged(staged)}
          </button>
        )}
        <button
          type="submit"
          className="button primary small"
          disabled={isBusy || count === 0 || message.trim() === ""}
        >
          {w.beside.commit(count)}
        </button>
      </div>
    </form>
  )
}

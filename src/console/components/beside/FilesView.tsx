/**
 * FilesView: the session's folder, one level at a time, file search by name, and a file viewer.
 */
import {
  ArrowLeft,
  AtSign,
  ChevronRight,
  Download,
  File,
  FileQuestion,
  FileSymlink,
  Folder,
  RotateCw
} from "lucide-react"
import { useCallback, useEffect, useMemo, useState } from "react"
import type { FileContent, TreeEntry } from "../../../schema/WorkspaceAnswers.js"
import { problemOf } from "../../relay/problem.js"
import * as workspace from "../../relay/workspace.js"
import { w } from "../../words/words.js"
import { CodeBlock } from "../CodeBlock.js"
import { inOneLine } from "../hiddenChars.js"
import { IconButton } from "../IconButton.js"
import { Portion } from "../Portion.js"
import { languageOf } from "../useColours.js"
import { lastPart } from "../words.js"
import { useAnswer } from "./useAnswer.js"

interface Props {
  readonly session_id: string
  /** The open file. */
  readonly shown: string | undefined
  readonly onShow: (path: string | undefined) => void
  readonly onMention: ((path: string) => void) | undefined
}

export const sizeOf = (bytes: number): string =>
  bytes < 1000
    ? `${bytes} B`
    : bytes < 1_000_000
    ? `${Math.round(bytes / 1000).toLocaleString(w.locale)} kB`
    : `${(bytes / 1_000_000).toLocaleString(w.locale, { maximumFractionDigits: 1 })} MB`

const within = (folder: string, name: string) => folder === "" ? name : `${folder}/${name}`

interface FolderProps extends Pick<Props, "session_id"> {
  readonly path: string
  readonly onFile: (path: string) => void
}

const FolderItems = ({ onFile, path, session_id }: FolderProps) => {
  const ask = useCallback(() => workspace.files(session_id, path), [path, session_id])
  const { problem, value } = useAnswer(ask)
  if (problem !== undefined) return <p className="beside-note" role="alert">{problem}</p>
  if (value === undefined) return <p className="beside-note" aria-busy="true">{w.beside.loading}</p>
  if (value.entries.length === 0) return <p className="beside-note">{w.beside.emptyFolder}</p>
  return (
    <>
      <ul className="tree">
        <Portion all={value.entries} most={500}>
          {(entry) => (
            <Item
              key={entry.name}
              entry={entry}
              session_id={session_id}
              path={within(path, entry.name)}
              onFile={onFile}
            />
          )}
        </Portion>
      </ul>
      {value.truncated && <p className="beside-note">{w.beside.moreEntries}</p>}
    </>
  )
}

const Item = ({ entry, onFile, path, session_id }: FolderProps & { readonly entry: TreeEntry }) => {
  const [open, setOpen] = useState(false)
  const { hidden, kind, leads_to, name, size, unnameable } = entry
  const what = leads_to ?? kind
  const text = inOneLine(name)
  if (unnameable === true || (what !== "folder" && what !== "file")) {
    return (
      <li>
        <span className="tree-row muted" title={w.beside.notShown}>
          <FileQuestion size={15} aria-hidden /> <span className="tree-name">{text}</span>
        </span>
      </li>
    )
  }
  return (
    <li>
      <button
        type="button"
        className="tree-row"
        data-hidden={hidden}
        aria-expanded={what === "folder" ? open : undefined}
        onClick={() => what === "folder" ? setOpen(!open) : onFile(path)}
      >
        {what === "folder"
          ? (
            <>
              <ChevronRight size={14} className="tree-mark" aria-hidden />
              <Folder size={15} aria-hidden />
            </>
          )
          : kind === "link"
          ? <FileSymlink size={15} aria-hidden />
          : <File size={15} aria-hidden />}
        <span className="tree-name">{text}</span>
        {size !== undefined && <small>{sizeOf(size)}</small>}
      </button>
      {open && <FolderItems session_id={session_id} path={path} onFile={onFile} />}
    </li>
  )
}

/** Formats browsers can display, by name, since an SVG is text. */
const pictures: Readonly<Record<string, string>> = {
  png: "image/png",
  apng: "image/png",
  jpg: "image/jpeg",
  jpeg: "image/jpeg",
  gif: "image/gif",
  webp: "image/webp",
  avif: "image/avif",
  bmp: "image/bmp",
  ico: "image/x-icon",
  svg: "image/svg+xml"
}
/** Largest picture shown, in bytes. */
const largestPicture = 20_000_000

const pictureType = (path: string): string | undefined =>
  pictures[path.split(".").at(-1)?.toLowerCase() ?? ""]

/** As an image it runs and loads nothing, whatever it contains. */
const Picture = ({ file, session_id, type }: Pick<Props, "session_id"> & {
  readonly file: FileContent
  readonly type: string
}) => {
  const { path, size } = file
  const [url, setUrl] = useState<string>()
  const [problem, setProblem] = useState<string>()
  useEffect(() => {
    const leaving = new AbortController()
    let made: string | undefined
    workspace.raw(session_id, path, leaving.signal).then(
      (bytes) => {
        if (leaving.signal.aborted) return
        made = URL.createObjectURL(new Blob([bytes], { type }))
        setUrl(made)
      },
      (error: unknown) => !leaving.signal.aborted && setProblem(problemOf(error))
    )
    return () => {
      leaving.abort()
      if (made !== undefined) URL.revokeObjectURL(made)
    }
    // Changes when the file was read again.
  }, [file, path, session_id, type])
  if (problem !== undefined) return <p className="beside-note" role="alert">{problem}</p>
  if (url === undefined) return <p className="beside-note" aria-busy="true">{w.beside.loading}</p>
  return (
    <div className="picture">
      <img
        src={url}
        alt={`${inOneLine(lastPart(path))}, ${sizeOf(size)}`}
        onError={() => setProblem(w.beside.noPicture)}
      />
    </div>
  )
}

/** Into the browser's downloads. */
const save = async (session_id: string, path: string) => {
  const url = URL.createObjectURL(await workspace.raw(session_id, path))
  const link = document.createElement("a")
  link.href = url
  link.download = lastPart(path)
  link.click()
  URL.revokeObjectURL(url)
}

const FileView = ({ onClose, onMention, path, session_id }: Pick<Props, "session_id" | "onMention"> & {
  readonly path: string
  readonly onClose: () => void
}) => {
  const ask = useCallback(() => workspace.file(session_id, path), [path, session_id])
  const { again, problem, value } = useAnswer(ask)
  const [more, setMore] = useState<
    { readonly of: FileContent; readonly text: string; readonly next?: number }
  >()
  const [moreProblem, setMoreProblem] = useState<string>()
  const rest = more?.of === value ? more : undefined
  const next = rest === undefined ? value?.next_offset : rest.next
  const text = (value?.text ?? "") + (rest?.text ?? "")
  const language = useMemo(() => languageOf(path), [path])
  const picture = value !== undefined && value.size > 0 && value.size <= largestPicture
    ? pictureType(path)
    : undefined
  const goOn = async () => {
    if (value === undefined || next === undefined) return
    try {
      const part = await workspace.file(session_id, path, next)
      setMore({
        of: value,
        text: (rest?.text ?? "") + (part.text ?? ""),
        ...(part.next_offset !== undefined && { next: part.next_offset })
      })
    } catch (error) {
      setMoreProblem(problemOf(error))
    }
  }
  return (
    <section className="file-view" aria-label={inOneLine(path)}>
      <header>
        <IconButton label={w.beside.back} onClick={onClose}>
          <ArrowLeft size={17} aria-hidden />
        </IconButton>
        <h3 title={path}>
          {inOneLine(lastPart(path))}
          <small>{inOneLine(path)}{value !== undefined && ` · ${sizeOf(value.size)}`}</small>
        </h3>
        <IconButton
          label={w.beside.download}
          onClick={() => {
            setMoreProblem(undefined)
            void save(session_id, path).catch((error: unknown) => setMoreProblem(problemOf(error)))
          }}
        >
          <Download size={16} aria-hidden />
        </IconButton>
        {onMention !== undefined && (
          <IconButton label={w.beside.mention} onClick={() => onMention(path)}>
            <AtSign size={16} aria-hidden />
          </IconButton>
        )}
        <IconButton label={w.beside.refresh} onClick={again}>
          <RotateCw size={15} aria-hidden />
        </IconButton>
      </header>
      {problem !== undefined && <p className="beside-note" role="alert">{problem}</p>}
      {value !== undefined && picture !== undefined && (
        <Picture session_id={session_id} file={value} type={picture} />
      )}
      {value?.binary === true && picture === undefined && (
        <p className="beside-note">{w.beside.binary(sizeOf(value.size))}</p>
      )}
      {value?.text !== undefined && (
        value.size === 0
          ? <p className="beside-note">{w.beside.emptyFile}</p>
          : <CodeBlock code={text} language={language} whole />
      )}
      {next !== undefined && (
        <button type="button" className="button small more" onClick={() => void goOn()}>
          {w.beside.more}
        </button>
      )}
      {moreProblem !== undefined && <p className="beside-note" role="alert">{moreProblem}</p>}
    </section>
  )
}

const quietMs = 120

export const FilesView = ({ onMention, onShow, session_id, shown }: Props) => {
  const [query, setQuery] = useState("")
  const [found, setFound] = useState<ReadonlyArray<string>>()
  const [problem, setProblem] = useState<string>()
  const wanted = query.trim()
  useEffect(() => {
    if (wanted === "") {
      setFound(undefined)
      setProblem(undefined)
      return
    }
    let isOver = false
    const timer = setTimeout(() =>
      workspace.find(session_id, wanted, 50).then(
        (files) => {
          if (isOver) return
          setFound(files)
          setProblem(undefined)
        },
        (error: unknown) => !isOver && setProblem(problemOf(error))
      ), quietMs)
    return () => {
      isOver = true
      clearTimeout(timer)
    }
  }, [session_id, wanted])
  return (
    <>
      {shown !== undefined && (
        <FileView
          key={shown}
          session_id={session_id}
          path={shown}
          onMention={onMention}
          onClose={() => onShow(undefined)}
        />
      )}
      {/* The tree keeps its open folders. */}
      <div className="files-view" hidden={shown !== undefined}>
        <input
          type="search"
          className="beside-find"
          value={query}
          onChange={({ target }) => setQuery(target.value)}
          placeholder={w.beside.find}
          aria-label={w.beside.find}
          spellCheck={false}
          autoCapitalize="off"
          autoComplete="off"
        />
        <div className="beside-scroll" tabIndex={0} role="region" aria-label={w.beside.files}>
          {problem !== undefined && <p className="beside-note" role="alert">{problem}</p>}
          {found !== undefined && (
            found.length === 0 ?
              <p className="beside-note" role="status">{w.beside.noFiles}</p> :
              (
                <ul className="tree">
                  {found.map((path) => (
                    <li key={path}>
                      <button type="button" className="tree-row" onClick={() => onShow(path)}>
                        <File size={15} aria-hidden />
                        <span className="tree-name">{inOneLine(lastPart(path))}</span>
                        <small className="tree-path">{inOneLine(workspace.folderOf(path))}</small>
                      </button>
                    </li>
                  ))}
                </ul>
              )
          )}
          <div hidden={found !== undefined}>
            <FolderItems session_id={session_id} path="" onFile={onShow} />
          </div>
        </div>
      </div>
    </>
  )
}

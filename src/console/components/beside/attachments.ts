/**
 * attachments: files for the agent: uploaded to the relay as soon as they are added, and named in the prompt.
 */
import { useCallback, useEffect, useRef, useState } from "react"
import type { Attachment } from "../../../schema/WorkspaceAnswers.js"
import * as workspace from "../../relay/workspace.js"
import { w } from "../../words/words.js"

export interface Attached {
  readonly id: number
  readonly file: File
  /** Absent while it is uploading. */
  readonly kept?: Attachment
  readonly problem?: string
}

/** The same limit as the relay's. */
const mostBytes = 50 * 1024 * 1024

/** Files not sent yet, by session: looking at another session loses none. */
const uploaded = new Map<string, ReadonlyArray<Attached>>()

export const useAttachments = (session_id: string) => {
  const [list, setList] = useState(() => uploaded.get(session_id) ?? [])
  const [inFolder, setInFolder] = useState(false)
  const lastId = useRef(Math.max(0, ...list.map(({ id }) => id)))
  useEffect(() => void uploaded.set(session_id, list.filter(({ kept }) => kept !== undefined)), [
    list,
    session_id
  ])

  const send = useCallback((id: number, file: File, into: "state" | "folder") => {
    const put = (change: Partial<Attached>) =>
      setList((all) => all.map((one) => one.id === id ? { id, file, ...change } : one))
    if (file.size > mostBytes) return put({ problem: w.beside.largeFile(file.name) })
    workspace.attach(session_id, file, into).then(
      (kept) => put({ kept }),
      (error: unknown) => put({ problem: workspace.sentence(error) })
    )
  }, [session_id])

  const add = useCallback((files: ReadonlyArray<File>) => {
    const added = files.map((file) => ({ id: ++lastId.current, file }))
    setList((all) => [...all, ...added])
    for (const { file, id } of added) send(id, file, inFolder ? "folder" : "state")
  }, [inFolder, send])

  /** Files already uploaded are uploaded again, to the other place. */
  const choose = (inFolder: boolean) => {
    setInFolder(inFolder)
    setList((all) => all.map(({ file, id }) => ({ file, id })))
    for (const { file, id } of list) send(id, file, inFolder ? "folder" : "state")
  }
  const remove = (id: number) => setList((all) => all.filter((one) => one.id !== id))
  const clear = () => setList([])
  return { list, inFolder, add, choose, remove, clear }
}

export type Attachments = ReturnType<typeof useAttachments>

/** Whether all of them are uploaded. */
export const areKept = (list: ReadonlyArray<Attached>): boolean =>
  list.every(({ kept }) => kept !== undefined)

/** A prompt that says where the files are. */
export const withAttachments = (text: string, list: ReadonlyArray<Attached>): string => {
  const lines = list.flatMap(({ kept }) => kept === undefined ? [] : [`- ${kept.path}`])
  return lines.length === 0
    ? text
    : [text.trim(), [w.beside.attachedFiles, ...lines].join("\n")].filter((part) => part !== "").join("\n\n")
}

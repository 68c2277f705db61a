/**
 * attachments: files for the agent: uploaded to the relay as soon as they are added, and named in the prompt.
 */
import { useCallback, useState, useSyncExternalStore } from "react"
import type { Attachment } from "../../../schema/WorkspaceAnswers.js"
import { problemOf } from "../../relay/problem.js"
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

/** Files not sent yet, by session: looking at another session loses none, and their upload goes on. */
const lists = new Map<string, ReadonlyArray<Attached>>()
const listeners = new Set<() => void>()
const none: ReadonlyArray<Attached> = []

const subscribe = (listener: () => void) => {
  listeners.add(listener)
  return () => void listeners.delete(listener)
}

export const useAttachments = (session_id: string) => {
  const listOf = useCallback(() => lists.get(session_id) ?? none, [session_id])
  const list = useSyncExternalStore(subscribe, listOf)
  const [inFolder, setInFolder] = useState(false)

  const become = useCallback((list: ReadonlyArray<Attached>) => {
    lists.set(session_id, list)
    for (const listener of listeners) listener()
  }, [session_id])

  const send = useCallback((id: number, file: File, into: "state" | "folder") => {
    const put = (change: Partial<Attached>) =>
      become(listOf().map((one) => one.id === id && one.file === file ? { id, file, ...change } : one))
    if (file.size > mostBytes) return put({ problem: w.beside.largeFile(file.name) })
    workspace.attach(session_id, file, into).then(
      (kept) => put({ kept }),
      (error: unknown) => put({ problem: problemOf(error) })
    )
  }, [become, listOf, session_id])

  const add = useCallback((files: ReadonlyArray<File>) => {
    const last = Math.max(0, ...listOf().map(({ id }) => id))
    const added = files.map((file, index) => ({ id: last + 1 + index, file }))
    become([...listOf(), ...added])
    for (const { file, id } of added) send(id, file, inFolder ? "folder" : "state")
  }, [become, inFolder, listOf, send])

  /** Files already uploaded are uploaded again, to the other place. */
  const choose = (inFolder: boolean) => {
    setInFolder(inFolder)
    become(list.map(({ file, id }) => ({ file, id })))
    for (const { file, id } of list) send(id, file, inFolder ? "folder" : "state")
  }
  const remove = (id: number) => become(listOf().filter((one) => one.id !== id))
  const clear = () => become(none)
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

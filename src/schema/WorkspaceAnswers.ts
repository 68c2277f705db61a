/**
 * WorkspaceAnswers: what `/folders` and `/sessions/{session_id}/files`, `file`, `find`, `changes`, `diff`, `commit` and
 * `attachments` answer, for those who make the answers and those who show them; `routes.ts` describes them to others.
 */

export interface TreeEntry {
  readonly name: string
  readonly kind: "folder" | "file" | "link" | "other"
  /** Of a link: what it leads to, if that lies in the folder, too. */
  readonly leads_to?: "folder" | "file"
  /** In bytes; of files. */
  readonly size?: number
  /** Unix time in seconds. */
  readonly modified_at?: number
  /** It begins with a dot. */
  readonly hidden?: true
  /** Its name is no text, so nothing can be asked about it. */
  readonly unnameable?: true
}

export interface TreeListing {
  /** From the session's folder; "" is that folder. */
  readonly path: string
  /** Folders first, then by name. */
  readonly entries: ReadonlyArray<TreeEntry>
  /** There are more than are told. */
  readonly truncated?: true
}

export interface FileContent {
  readonly path: string
  /** Bytes of the whole file. */
  readonly size: number
  readonly modified_at: number
  /** The first byte of `text`. */
  readonly offset: number
  /** Absent for what is no text. */
  readonly text?: string
  readonly binary?: true
  /** Where to go on reading; absent at the end. */
  readonly next_offset?: number
}

export interface FolderChoice {
  readonly name: string
  /** Absolute. */
  readonly path: string
  readonly hidden?: true
  /** A git repository begins there. */
  readonly repository?: true
}

export interface FolderListing {
  /** Absolute; absent: `folders` are where one may begin. */
  readonly folder?: string
  /** Absent where one may not go further up. */
  readonly parent?: string
  readonly folders: ReadonlyArray<FolderChoice>
  readonly truncated?: true
}

export interface FoundFiles {
  /** From the session's folder, the best first. */
  readonly files: ReadonlyArray<string>
  /** All files were looked at. */
  readonly complete: boolean
}

export type ChangeKind = "added" | "changed" | "deleted" | "renamed" | "copied" | "type_changed"

export interface ChangedFile {
  /** From the session's folder. */
  readonly path: string
  /** Its name before, of what was renamed or copied. */
  readonly from?: string
  /** In the index, against the last commit. */
  readonly staged?: ChangeKind
  /** On disk, against the index; with `against`: against that commit. */
  readonly unstaged?: ChangeKind
  /** Git does not know it yet. */
  readonly untracked?: true
  /** Both sides of a merge changed it. */
  readonly conflict?: true
}

export interface Changes {
  readonly repository: boolean
  /** The id of the last commit; absent: there is none. */
  readonly head?: string
  /** Absent: no branch is checked out. */
  readonly branch?: string
  /** What was begun and is not finished. */
  readonly under_way?: UnderWay
  /** The commit they are compared with, where one was named. */
  readonly against?: string
  readonly branches: ReadonlyArray<string>
  readonly files: ReadonlyArray<ChangedFile>
  /** There are more than are told. */
  readonly truncated?: true
}

export type UnderWay = "merge" | "rebase" | "cherry-pick" | "revert"

export interface FileDiff {
  readonly path: string
  /** Unified. */
  readonly diff: string
  readonly binary?: true
  /** It is above a bound and not shown. */
  readonly too_large?: true
}

export interface Commit {
  /** Its id. */
  readonly commit: string
  readonly branch?: string
  /** Files it changes. */
  readonly files: number
  /** Programs of the repository's that ran: hooks, filters, signing. */
  readonly ran: ReadonlyArray<string>
}

export interface Attachment {
  /** As it is kept; it may differ from what was sent. */
  readonly name: string
  /** Absolute, for the agent. */
  readonly path: string
  readonly size: number
}

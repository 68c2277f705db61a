/**
 * WorkspaceAnswers: types of the answers of `/folders` and `/sessions/{session_id}/files`, `file`, `find`, `changes`, `diff`,
 * `commit` and `attachments`, for server and console; `routes.ts` describes them to others.
 */

export interface TreeEntry {
  readonly name: string
  readonly kind: "folder" | "file" | "link" | "other"
  /** For a link: what it leads to, if that is in the folder. */
  readonly leads_to?: "folder" | "file"
  /** In bytes; of files. */
  readonly size?: number
  /** Unix time in seconds. */
  readonly modified_at?: number
  /** Whether its name begins with a dot. */
  readonly hidden?: true
  /** Whether its name is not valid text, so it cannot be requested. */
  readonly unnameable?: true
}

export interface TreeListing {
  /** From the session's folder; "" is that folder. */
  readonly path: string
  /** Folders first, then by name. */
  readonly entries: ReadonlyArray<TreeEntry>
  /** Whether there are more than listed. */
  readonly truncated?: true
}

export interface FileContent {
  readonly path: string
  /** Bytes of the whole file. */
  readonly size: number
  readonly modified_at: number
  /** The first byte of `text`. */
  readonly offset: number
  /** Absent for files that are not text. */
  readonly text?: string
  readonly binary?: true
  /** Where to continue reading; absent at the end. */
  readonly next_offset?: number
}

export interface FolderChoice {
  readonly name: string
  /** Absolute. */
  readonly path: string
  readonly hidden?: true
  /** Whether it is the top of a git repository. */
  readonly repository?: true
}

export interface FolderListing {
  /** Absolute; absent: `folders` are the allowed roots. */
  readonly folder?: string
  /** Absent if its parent is not allowed. */
  readonly parent?: string
  readonly folders: ReadonlyArray<FolderChoice>
  readonly truncated?: true
}

export interface FoundFiles {
  /** Paths relative to the session's folder, best matches first. */
  readonly files: ReadonlyArray<string>
  /** Whether all files were searched. */
  readonly complete: boolean
}

export type ChangeKind = "added" | "changed" | "deleted" | "renamed" | "copied" | "type_changed"

export interface ChangedFile {
  /** From the session's folder. */
  readonly path: string
  /** Its old name, if it was renamed or copied. */
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
  /** An unfinished operation, such as a merge. */
  readonly under_way?: UnderWay
  /** The commit they are compared with, if one was named. */
  readonly against?: string
  readonly branches: ReadonlyArray<string>
  readonly files: ReadonlyArray<ChangedFile>
  /** Whether there are more than listed. */
  readonly truncated?: true
}

export type UnderWay = "merge" | "rebase" | "cherry-pick" | "revert"

export interface FileDiff {
  readonly path: string
  /** Unified. */
  readonly diff: string
  readonly binary?: true
  /** Whether it exceeds a limit and is not shown. */
  readonly too_large?: true
}

export interface Commit {
  /** Its id. */
  readonly commit: string
  readonly branch?: string
  /** Files it changes. */
  readonly files: number
  /** Programs of the repository that ran: hooks, filters, signing. */
  readonly ran: ReadonlyArray<string>
}

export interface Attachment {
  /** Its name as saved, which may differ from the one sent. */
  readonly name: string
  /** Absolute, for the agent. */
  readonly path: string
  readonly size: number
}

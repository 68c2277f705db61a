/** smallDisk: a file system that is soon full, and can be made to grow. Only root may have one. */
import { execFileSync } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

export interface SmallDisk {
  readonly folder: string
  readonly grow: () => void
  readonly remove: () => void
}

/** 256 KiB, if we may have one. */
export const smallDisk = (): SmallDisk | undefined => {
  const folder = mkdtempSync(join(tmpdir(), "ai-relay-small-"))
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=256k,mode=700", "tmpfs", folder], { stdio: "ignore" })
  } catch {
    rmSync(folder, { recursive: true })
    return undefined
  }
  return {
    folder,
    grow: () => void execFileSync("mount", ["-o", "remount,size=64m", folder]),
    remove: () => {
      execFileSync("umount", ["-l", folder])
      rmSync(folder, { recursive: true })
    }
  }
}

const probe = smallDisk()
probe?.remove()

/** For the name of a test that is skipped; empty if it need not be. */
export const whyNoSmallDisk = probe === undefined ? " (skipped: only root may mount a small file system)" : ""

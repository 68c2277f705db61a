/**
 * memory: makes a machine's free memory free to use.
 *
 * A virtual machine may have given what nobody uses back to its host, and be given it again page by page when it is touched:
 * ten times as dear as a page that is there. Whoever writes to files first would be charged for it.
 */
import { closeSync, openSync, rmSync, writeSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

const chunk = Buffer.alloc(1024 * 1024)

/** Have the file cache take and give back so many MiB. */
export const touchMemory = (mebibytes: number): void => {
  const file = join(tmpdir(), `ai-relay-bench-touch-${process.pid}`)
  const fd = openSync(file, "w")
  try {
    for (let written = 0; written < mebibytes; written++) writeSync(fd, chunk)
  } finally {
    closeSync(fd)
    rmSync(file)
  }
}

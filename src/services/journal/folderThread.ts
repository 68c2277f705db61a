/** folderThread: a thread that reads the folders of sessions it is asked for, in `workerData`, and answers in the same order. */
import { parentPort, workerData } from "node:worker_threads"
import { type Asked, read } from "./SessionFolder.js"

parentPort?.on(
  "message",
  (asked: ReadonlyArray<Asked>) =>
    parentPort?.postMessage(asked.flatMap((one) => read(String(workerData), one) ?? []))
)

/** nativeStores: every place the relay can read conversations from. */
import { makeStore as claude } from "../../adapters/claude/nativeSessions.js"
import { makeStore as codex } from "../../adapters/codex/nativeSessions.js"
import { makeStore as gemini } from "../../adapters/gemini/nativeSessions.js"
import type { NativeFiles } from "../../adapters/native/NativeFiles.js"
import type { NativeStore } from "../../adapters/native/NativeStore.js"

export const makeStores = (
  files: NativeFiles
): ReadonlyArray<NativeStore> => [claude(files), codex(files), gemini(files)]

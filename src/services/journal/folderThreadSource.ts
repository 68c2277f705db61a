/**
 * folderThreadSource: the source of `folderThread.ts` as a string, so that a bundled relay needs no separate file for it.
 *
 * The build inserts it. It is missing when the sources run without a build: then folders are read without a thread.
 */
declare const __AI_RELAY_FOLDER_THREAD__: string | undefined

export const folderThreadSource = typeof __AI_RELAY_FOLDER_THREAD__ === "string"
  ? __AI_RELAY_FOLDER_THREAD__
  : undefined

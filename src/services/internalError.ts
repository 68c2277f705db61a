/**
 * internalError: what a person is told of an error that should not happen, and what to do about it. Details go to the relay's log.
 *
 * One such error has a remedy. Most of the program is loaded when it is first needed, so if an update replaces or removes the
 * program's files while a relay runs, that relay no longer finds what it has not loaded yet.
 */
const notFound = new Set<unknown>(["MODULE_NOT_FOUND", "ERR_MODULE_NOT_FOUND"])

/** Whether a part of the program could not be found. */
export const isPartMissing = (defect: unknown): boolean =>
  defect instanceof Error && "code" in defect && notFound.has(defect.code)

/** Goes on after `because`. */
export const whyFailed = (defect: unknown): string =>
  isPartMissing(defect)
    ? "its program was updated or removed while it was running: restart the relay"
    : "of an internal error: please report it with the relay's log"

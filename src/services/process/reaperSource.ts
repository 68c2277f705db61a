/**
 * reaperSource: the source of the reaper (`reaper.ts`) as a string, so that a bundled relay needs no separate file for it.
 *
 * The build inserts it. It is missing when the sources run without a build.
 */
declare const __AI_RELAY_REAPER__: string | undefined

export const reaperSource = typeof __AI_RELAY_REAPER__ === "string" ? __AI_RELAY_REAPER__ : undefined

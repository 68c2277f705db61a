/**
 * reaperSource: the reaper (`reaper.ts`) as one text, so that it needs no file of its own wherever the relay is bundled.
 *
 * The build puts it here. It is missing when the sources run as they are.
 */
declare const __AI_RELAY_REAPER__: string | undefined

export const reaperSource = typeof __AI_RELAY_REAPER__ === "string" ? __AI_RELAY_REAPER__ : undefined

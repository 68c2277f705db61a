/** version: the relay's own, which the build of the command writes in. */
declare const __AI_RELAY_VERSION__: string | undefined
export const version = typeof __AI_RELAY_VERSION__ === "string" ? __AI_RELAY_VERSION__ : "development"

/** version: this program's own; the build puts it in. */

declare const __AI_RELAY_VERSION__: string | undefined
export const version = typeof __AI_RELAY_VERSION__ === "string" ? __AI_RELAY_VERSION__ : "development"

/** closeReason: why a WebSocket is closed, as it fits into the close frame; with a longer text, `ws` closes nothing and throws. */
import { cutTo } from "../services/cutTo.js"

const mostBytes = 120

export const closeReason = (text: string): string => cutTo(text, mostBytes)

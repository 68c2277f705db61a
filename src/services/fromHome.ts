/** fromHome: `~` and `~/…` as shells read them: the home of who the relay runs as. No shell reads a handshake, a file. */
import { homedir } from "node:os"

export const fromHome = (path: string): string => path.replace(/^~(?=\/|$)/, () => homedir())

export declare const recordings: Readonly<Record<"claude" | "codex" | "gemini", ReadonlyArray<string>>>
export interface Step {
  readonly line: unknown
  readonly waits: number
  readonly asks: boolean
}
export declare const readTurn: (agent: string, name: string) => { readonly steps: ReadonlyArray<Step> }

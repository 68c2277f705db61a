/** OwnAgent: an agent of the operator's that speaks the Agent Client Protocol: how to start it, what to say if that fails. */
export interface OwnAgent {
  /** Its name in the handshake. */
  readonly tool: string
  /** Its name for people. */
  readonly name: string
  readonly command: string
  readonly args: ReadonlyArray<string>
  readonly env?: Readonly<Record<string, string>>
  /** What to do when the program is missing. */
  readonly install: string
  /** What to do when a login is missing. */
  readonly login: string
}

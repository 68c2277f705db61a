/**
 * testedVersions: the agents' versions the relay was tested with, newest first, and what each cannot do.
 *
 * Made by scripts/agents-table.mjs from runs of the real-agent suite: not to be changed by hand.
 */
export interface TestedVersion {
  readonly version: string
  readonly trouble: ReadonlyArray<string>
}

export const testedVersions: Readonly<Record<string, ReadonlyArray<TestedVersion>>> = {
  "claude": [
    {
      "version": "2.1.332",
      "trouble": [
        "failed: stops a streaming turn when it is interrupted, and goes on"
      ]
    }
  ],
  "codex": [
    {
      "version": "0.171.0",
      "trouble": [
        "failed: stops a running tool when it is interrupted, and what that started"
      ]
    }
  ],
  "gemini": [
    {
      "version": "0.61.0",
      "trouble": []
    }
  ],
  "claude-agent-acp": [],
  "codex-acp": [],
  "opencode": [],
  "qwen": [],
  "pi": [
    {
      "version": "0.0.34",
      "trouble": [
        "asks nobody",
        "failed: says that it asks nobody, and runs tools at once",
        "says only that it gave up"
      ]
    }
  ],
  "kimi": [],
  "copilot": []
}

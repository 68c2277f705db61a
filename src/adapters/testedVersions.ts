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
      "trouble": []
    },
    {
      "version": "2.1.197",
      "trouble": []
    },
    {
      "version": "2.1.100",
      "trouble": []
    }
  ],
  "codex": [
    {
      "version": "0.171.0",
      "trouble": []
    },
    {
      "version": "0.169.0",
      "trouble": []
    },
    {
      "version": "0.150.0",
      "trouble": []
    }
  ],
  "gemini": [
    {
      "version": "0.61.0",
      "trouble": [
        "reports usage only at the end of a turn"
      ]
    },
    {
      "version": "0.55.1",
      "trouble": []
    }
  ],
  "claude-agent-acp": [
    {
      "version": "0.101.0",
      "trouble": [
        "cannot remember some commands",
        "lists its past conversations as those of Claude Code"
      ]
    }
  ],
  "codex-acp": [
    {
      "version": "2.6.0",
      "trouble": [
        "lets a running command continue until the session closes",
        "a denial ends its turn",
        "can remember commands only permanently",
        "lists its past conversations as those of Codex"
      ]
    }
  ],
  "opencode": [
    {
      "version": "1.18.33",
      "trouble": [
        "retries for more than a minute without saying so"
      ]
    }
  ],
  "qwen": [
    {
      "version": "0.24.4",
      "trouble": [
        "can remember only for the project, or permanently",
        "retries for more than a minute without saying so"
      ]
    }
  ],
  "pi": [
    {
      "version": "0.0.34",
      "trouble": [
        "asks nobody",
        "says only that it gave up"
      ]
    }
  ],
  "kimi": [
    {
      "version": "2.1.0",
      "trouble": [
        "shows what edits change in a file, but not what a rewrite changes",
        "ends the turn without a word"
      ]
    }
  ],
  "copilot": [
    {
      "version": "1.0.102",
      "trouble": [
        "retries for more than a minute without saying so"
      ]
    }
  ]
}

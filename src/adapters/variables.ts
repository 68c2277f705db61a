/**
 * variables: names of environment variables that several agents share, and those a handshake may set for any of them.
 *
 * What a handshake may set chooses a key, an account, a model, a language or an amount. None of it names a file, a program, a
 * folder, an address, or whom to trust: what an agent and all its tools load, run and talk to is the operator's choice.
 */

/** What a handshake may set for any agent, and for a program the relay does not know. */
export const settableByAll: ReadonlyArray<string> = [
  ..."LANG LANGUAGE LC_* TZ TERM COLORTERM NO_COLOR FORCE_COLOR CLICOLOR COLUMNS LINES CI DEBUG".split(" "),
  ..."NODE_ENV PYTHONUNBUFFERED RUST_LOG GIT_AUTHOR_NAME GIT_AUTHOR_EMAIL GIT_COMMITTER_NAME".split(" "),
  ..."GIT_COMMITTER_EMAIL GITHUB_TOKEN GH_TOKEN *_API_KEY".split(" ")
]

/** Inherited by agents that work with the models of many houses. */
export const anyModel = ["*_API_KEY", "*_BASE_URL", "*_API_BASE", "AWS_*", "GOOGLE_*"]

export const aws = [
  "AWS_ACCESS_KEY_ID",
  "AWS_SECRET_ACCESS_KEY",
  "AWS_SESSION_TOKEN",
  "AWS_BEARER_TOKEN_BEDROCK"
]
export const regions = ["AWS_REGION", "AWS_DEFAULT_REGION", "GOOGLE_CLOUD_PROJECT", "GOOGLE_CLOUD_LOCATION"]
export const google = ["GOOGLE_CLOUD_PROJECT", "GOOGLE_CLOUD_LOCATION", "GOOGLE_GENAI_USE_VERTEXAI"]

/**
 * variables: names of environment variables shared by several agents, and those a handshake may set for any
 * of them.
 *
 * A handshake may set variables that choose a key, an account, a model, a language or an amount. None of them
 * names a file, a program, a folder, an address or whom to trust: what an agent and its tools load, run and
 * connect to is the operator's choice.
 */

/** Variables a handshake may set for any agent and for an unknown program. */
export const settableByAll: ReadonlyArray<string> = [
  ..."LANG LANGUAGE LC_* TZ TERM COLORTERM NO_COLOR FORCE_COLOR CLICOLOR COLUMNS LINES CI DEBUG".split(" "),
  ..."NODE_ENV PYTHONUNBUFFERED RUST_LOG GIT_AUTHOR_NAME GIT_AUTHOR_EMAIL GIT_COMMITTER_NAME".split(" "),
  ..."GIT_COMMITTER_EMAIL GITHUB_TOKEN GH_TOKEN *_API_KEY".split(" ")
]

/** Inherited by agents that work with models of many providers. */
export const anyModel = ["*_API_KEY", "*_BASE_URL", "*_API_BASE", "AWS_*", "GOOGLE_*"]

export const aws = [
  "AWS_ACCESS_KEY_ID",
  "AWS_SECRET_ACCESS_KEY",
  "AWS_SESSION_TOKEN",
  "AWS_BEARER_TOKEN_BEDROCK"
]
export const regions = ["AWS_REGION", "AWS_DEFAULT_REGION", "GOOGLE_CLOUD_PROJECT", "GOOGLE_CLOUD_LOCATION"]
export const google = ["GOOGLE_CLOUD_PROJECT", "GOOGLE_CLOUD_LOCATION", "GOOGLE_GENAI_USE_VERTEXAI"]

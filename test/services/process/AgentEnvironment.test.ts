import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { agentNamed } from "../../../src/adapters/agents.js"
import {
  agentEnvironment,
  checkClientEnv,
  relayEnvironment
} from "../../../src/services/process/AgentEnvironment.js"

const inheritedBy = (tool: string) => agentNamed(tool)?.inherits ?? []

describe("agentEnvironment", () => {
  it("adds to what is inherited the client's, then the adapter's, then the marker", () => {
    const own = { A: "own", B: "own", C: "own" }
    const launch = {
      clientEnv: { B: "client", C: "client", AI_RELAY_SESSION: "forged" },
      env: { C: "adapter" },
      inherits: ["A", "B", "C"]
    }
    assert.deepStrictEqual(agentEnvironment(own, launch, "m"), {
      A: "own",
      B: "client",
      C: "adapter",
      AI_RELAY_SESSION: "m"
    })
  })

  it("keeps the relay's settings and the marks of an agent around it to itself, whatever is to be passed on", () => {
    const own = { PATH: "/bin", AI_RELAY_TOKEN: "secret", CLAUDECODE: "1", CLAUDE_CODE_ENTRYPOINT: "cli" }
    assert.deepStrictEqual(agentEnvironment(own, { inherits: ["*"] }, "m", ["*", "AI_RELAY_TOKEN"]), {
      PATH: "/bin",
      AI_RELAY_SESSION: "m"
    })
  })

  it.each([
    "CLAUDE_CODE_CHILD_SESSION",
    "CLAUDE_CODE_SESSION_ID",
    "CLAUDE_CODE_MESSAGING_TOKEN",
    "CLAUDE_CODE_MESSAGING_SOCKET",
    "CLAUDE_CODE_SSE_PORT",
    "CODEX_THREAD_ID",
    "CODEX_SANDBOX_NETWORK_DISABLED",
    "GEMINI_CLI",
    "QWEN_CODE",
    "OPENCODE"
  ])("hands on no mark of the session it was started in: %s", (name) => {
    const inherits = ["claude", "codex", "gemini", "qwen", "opencode"].flatMap(inheritedBy)
    assert.deepStrictEqual(agentEnvironment({ [name]: "1" }, { inherits }, "m", ["*"]), {
      AI_RELAY_SESSION: "m"
    })
  })

  it.each([
    "CLAUDE_CODE_OAUTH_TOKEN",
    "CLAUDE_CONFIG_DIR",
    "CODEX_HOME",
    "GEMINI_API_KEY",
    "OPENCODE_CONFIG"
  ])(
    "still hands on what is a setting: %s",
    (name) => {
      const inherits = ["claude", "codex", "gemini", "opencode"].flatMap(inheritedBy)
      assert.deepStrictEqual(agentEnvironment({ [name]: "x" }, { inherits }, "m"), {
        [name]: "x",
        AI_RELAY_SESSION: "m"
      })
    }
  )

  it("passes on what any program needs, and no secret that is somebody else's", () => {
    const shared = {
      PATH: "/bin",
      HOME: "/home/me",
      LANG: "C",
      LC_ALL: "C",
      https_proxy: "http://p",
      GOPATH: "/go"
    }
    const secrets = {
      SNOWFLAKE_PAT: "s",
      AWS_SECRET_ACCESS_KEY: "s",
      DATABASE_URL: "s",
      ANTHROPIC_API_KEY: "s",
      XPATH: "s"
    }
    assert.deepStrictEqual(agentEnvironment({ ...shared, ...secrets }, {}, "m"), {
      ...shared,
      AI_RELAY_SESSION: "m"
    })
  })

  it("passes on what the agent's own program needs, and what the operator lists", () => {
    const own = {
      ANTHROPIC_API_KEY: "a",
      OPENAI_API_KEY: "o",
      DATABASE_URL: "d",
      "ODD.NAME": "x",
      ODD_NAME: "y"
    }
    const inherited = (tool: string, ...passed: ReadonlyArray<string>) =>
      Object.keys(agentEnvironment(own, { inherits: inheritedBy(tool) }, "m", passed))
    assert.deepStrictEqual(inherited("claude"), ["ANTHROPIC_API_KEY", "AI_RELAY_SESSION"])
    // Its user's own configuration may name any key.
    assert.deepStrictEqual(inherited("codex"), ["ANTHROPIC_API_KEY", "OPENAI_API_KEY", "AI_RELAY_SESSION"])
    assert.deepStrictEqual(inherited("generic"), ["AI_RELAY_SESSION"])
    assert.deepStrictEqual(inherited("__proto__"), ["AI_RELAY_SESSION"])
    assert.deepStrictEqual(inherited("generic", "DATABASE_URL"), ["DATABASE_URL", "AI_RELAY_SESSION"])
    assert.deepStrictEqual(inherited("generic", "ODD.*"), ["ODD.NAME", "AI_RELAY_SESSION"])
    assert.lengthOf(inherited("generic", "*"), 6)
  })

  it("reads the environment of this process", () => {
    assert.strictEqual(relayEnvironment()["PATH"], process.env["PATH"])
  })
})

const refusal = (env: Record<string, string>, allowed: ReadonlyArray<string> = []) =>
  checkClientEnv(env, allowed).pipe(
    Effect.as("accepted"),
    Effect.catchTag("BadHandshake", ({ reason }) => Effect.succeed(reason)),
    Effect.runSync
  )

const harmful = [
  ..."PATH LD_PRELOAD LD_LIBRARY_PATH DYLD_INSERT_LIBRARIES NODE_OPTIONS NODE_PATH NODE_EXTRA_CA_CERTS".split(
    " "
  ),
  ..."ANTHROPIC_BASE_URL OPENAI_BASE_URL GOOGLE_GEMINI_BASE_URL HTTPS_PROXY https_proxy All_Proxy no_proxy"
    .split(" "),
  ..."PYTHONPATH PYTHONSTARTUP PYTHONHOME BASH_ENV ENV PROMPT_COMMAND SHELL HOME IFS".split(" "),
  ..."GIT_SSH GIT_SSH_COMMAND GIT_EXEC_PATH GIT_CONFIG_COUNT PERL5LIB PERL5OPT RUBYOPT RUBYLIB".split(" "),
  ..."JAVA_TOOL_OPTIONS AI_RELAY_TOKEN AI_RELAY_SESSION CLAUDE_CONFIG_DIR CODEX_HOME GEMINI_CLI_HOME".split(
    " "
  ),
  ..."NODE_TLS_REJECT_UNAUTHORIZED SSL_CERT_FILE REQUESTS_CA_BUNDLE SSH_ASKPASS npm_config_script_shell"
    .split(" "),
  ..."OTEL_EXPORTER_OTLP_ENDPOINT CLAUDE_ENV_FILE RUSTC_WRAPPER EDITOR PAGER".split(" "),
  // What no list of forbidden names foresaw.
  ..."TAR_OPTIONS GIT_TRACE RSYNC_RSH HGRCPATH SVN_SSH VIMINIT EXINIT AWKPATH R_PROFILE_USER RUSTC CC".split(
    " "
  ),
  ..."CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER GIT_SSL_NO_VERIFY GIT_INDEX_FILE PIP_INDEX_URL UV_INDEX"
    .split(
      " "
    ),
  ..."YARN_REGISTRY BUN_CONFIG_REGISTRY GOPROXY GOENV COMPOSER_HOME CURL_HOME WGETRC NETRC GNUPGHOME".split(
    " "
  ),
  ..."AWS_CONTAINER_CREDENTIALS_FULL_URI AWS_WEB_IDENTITY_TOKEN_FILE AZURE_AUTHORITY_HOST GCE_METADATA_HOST"
    .split(" "),
  ..."ANTHROPIC_UNIX_SOCKET ANTHROPIC_CONFIG_DIR CLAUDE_CODE_PLUGIN_SEED_DIR CLAUDE_CODE_DIAGNOSTICS_FILE"
    .split(
      " "
    ),
  ..."IS_SANDBOX CODEX_CA_CERTIFICATE CODEX_EXEC_SERVER_URL GEMINI_SANDBOX_PROXY_COMMAND SANDBOX_FLAGS".split(
    " "
  ),
  ..."GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES GEMINI_WRITE_SYSTEM_MD NODE_V8_COVERAGE TMPDIR UNHEARD_OF"
    .split(
      " "
    )
]
const harmless = "ANTHROPIC_API_KEY OPENAI_API_KEY GEMINI_API_KEY LANG LC_TIME TZ NODE_ENV DEBUG"
  + " PYTHONUNBUFFERED GIT_AUTHOR_NAME GITHUB_TOKEN CI TERM NO_COLOR"

describe("checkClientEnv", () => {
  it.each(harmful)("refuses %s, and says how the operator allows it", (name) => {
    assert.include(refusal({ LANG: "C", [name]: "x" }), `start the relay with --allow-env ${name}`)
    const allowed = refusal({ [name]: "x" }, [name])
    if (name.startsWith("AI_RELAY_")) assert.include(allowed, "may not set")
    else assert.strictEqual(allowed, "accepted")
  })

  it("knows what each agent may have besides", () => {
    const of = (tool: string, env: Record<string, string>) =>
      checkClientEnv(env, [], tool).pipe(
        Effect.as("accepted"),
        Effect.catchTag("BadHandshake", ({ reason }) => Effect.succeed(reason)),
        Effect.runSync
      )
    assert.strictEqual(of("claude", { MAX_THINKING_TOKENS: "1", ANTHROPIC_MODEL: "opus" }), "accepted")
    assert.include(of("codex", { MAX_THINKING_TOKENS: "1" }), "--allow-env MAX_THINKING_TOKENS")
    assert.include(of("__proto__", { MAX_THINKING_TOKENS: "1" }), "may not set")
    assert.strictEqual(of("claude", { CLOUD_ML_REGION: "europe-west1" }), "accepted")
    assert.include(of("claude", { CLOUD_ML_REGION: "evil.example/" }), "part of an address")
  })

  it.each(harmless.split(" "))("accepts %s", (name) => {
    assert.strictEqual(refusal({ [name]: "x" }), "accepted")
  })

  it("takes what the operator listed, by its exact name or a pattern", () => {
    assert.include(refusal({ http_proxy: "x" }, ["HTTP_PROXY", "http"]), "http_proxy")
    assert.strictEqual(refusal({ MY_COLOUR: "x" }, ["MY_*"]), "accepted")
    assert.include(refusal({ NOT_MY_COLOUR: "x" }, ["MY_*"]), "NOT_MY_COLOUR")
  })

  it.each(["", "1A", "A B", "A=B", "A-B", "É", "A\n", "BASH_FUNC_ls%%", "A\0"])(
    "refuses the name %j",
    (name) => {
      assert.include(refusal({ [name]: "x" }, [name]), "is not a name a variable can have")
    }
  )

  it("refuses a value with a NUL, without repeating it", () => {
    const reason = refusal({ TOKEN: "secret\0" }, ["TOKEN"])
    assert.include(reason, "TOKEN")
    assert.notInclude(reason, "secret")
  })

  it("accepts an empty environment", () => {
    assert.strictEqual(refusal({}), "accepted")
  })
})

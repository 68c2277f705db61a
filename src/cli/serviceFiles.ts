/** serviceFiles: the text of the service files for systemd and launchd. */

export interface Service {
  /** The program and its arguments, absolute. */
  readonly command: ReadonlyArray<string>
  /** Its working directory. */
  readonly home: string
  /** PATH, to find agents by: no shell sets it for a service. */
  readonly path: string
  /** Seconds it may take to stop. */
  readonly stop: number
}

/** A word of `ExecStart` in systemd's quotes, with `$` and `%` escaped. */
const systemdWord = (word: string): string =>
  `"${
    word.replaceAll("\\", "\\\\").replaceAll("\"", "\\\"").replaceAll("%", "%%").replaceAll("$", "$$$$")
      .replaceAll("\n", "\\n").replaceAll("\t", "\\t")
  }"`

/** An assignment of `Environment`, where `$` needs no escape. */
const systemdAssignment = (name: string, value: string): string =>
  `"${name}=${value.replaceAll("\\", "\\\\").replaceAll("\"", "\\\"").replaceAll("%", "%%")}"`

/** A path as a whole value, without quotes. */
const systemdPath = (path: string): string => path.replaceAll("\\", "\\\\").replaceAll("%", "%%")

/** A systemd user unit. Only the relay itself is told to stop, since it ends its agents. */
export const systemdUnit = ({ command, home, path, stop }: Service): string =>
  `[Unit]
Description=ai-relay: coding agents over WebSocket
After=network.target

[Service]
ExecStart=${command.map(systemdWord).join(" ")}
WorkingDirectory=${systemdPath(home)}
Environment=${systemdAssignment("PATH", path)}
Restart=on-failure
RestartSec=2
KillMode=mixed
TimeoutStopSec=${stop}

[Install]
WantedBy=default.target
`

const xml = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll("\"", "&quot;")

export const launchdLabel = "ai-relay"

/** A launchd user agent. */
export const launchdPlist = ({ command, home, path, stop }: Service): string =>
  `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
  <key>Label</key>
  <string>${launchdLabel}</string>
  <key>ProgramArguments</key>
  <array>
${command.map((word) => `    <string>${xml(word)}</string>`).join("\n")}
  </array>
  <key>WorkingDirectory</key>
  <string>${xml(home)}</string>
  <key>EnvironmentVariables</key>
  <dict>
    <key>PATH</key>
    <string>${xml(path)}</string>
  </dict>
  <key>RunAtLoad</key>
  <true/>
  <key>KeepAlive</key>
  <dict>
    <key>SuccessfulExit</key>
    <false/>
  </dict>
  <key>ExitTimeOut</key>
  <integer>${stop}</integer>
  <key>StandardOutPath</key>
  <string>${xml(home)}/Library/Logs/ai-relay.log</string>
  <key>StandardErrorPath</key>
  <string>${xml(home)}/Library/Logs/ai-relay.log</string>
</dict>
</plist>
`

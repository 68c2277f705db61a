#!/bin/bash
# billingClaude: speaks like Claude Code on its pipes, and makes eight model calls of exactly 1000 tokens in each turn: 800
# in, 200 out, and of $CALL_SECONDS. Every call that begins is a line of ~/calls, the truth about what was spent. It hears
# an interrupt between two calls. At a prompt with LIMIT its subscription is used up for an hour.

say() { printf '%s\n' "$1"; }
event() { say '{"type":"stream_event","event":'"$1"',"session_id":"s","uuid":"0"}'; }
answer() {
  id=${1#*'"request_id":"'}
  say '{"type":"control_response","response":{"subtype":"success","request_id":"'"${id%%\"*}"'","response":{}}}'
}
result() { say '{"type":"result","is_error":'"$1"',"session_id":"s","uuid":"0"}'; }

turn=0
while read -r line; do
  case $line in
    *'"type":"control_request"'*) answer "$line" ;;
    *'"type":"user"'*)
      turn=$((turn + 1))
      say '{"type":"system","subtype":"init","cwd":"/","model":"fake","session_id":"s"}'
      case $line in *LIMIT*)
        say '{"type":"rate_limit_event","rate_limit_info":{"status":"rejected","rateLimitType":"five_hour","resetsAt":'$(($(date +%s) + 3600))'},"session_id":"s","uuid":"0"}'
        result 'true,"subtype":"success","api_error_status":429,"result":"You have hit your session limit"'
        continue
        ;;
      esac
      stopped=
      for n in 1 2 3 4 5 6 7 8; do
        echo "$$ $turn $n" >> "$HOME/calls"
        event '{"type":"message_start","message":{"id":"m-'$$-$turn-$n'","model":"fake","usage":{"input_tokens":800,"output_tokens":0}}}'
        event '{"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":{"output_tokens":200}}'
        if read -r -t "${CALL_SECONDS:-0.05}" line; then
          answer "$line"
          case $line in *'"subtype":"interrupt"'*) stopped=yes; break ;; esac
        fi
      done
      used='"usage":{"input_tokens":'$((n * 800))',"output_tokens":'$((n * 200))'}'
      if [ -n "$stopped" ]; then
        result 'true,"subtype":"error_during_execution","terminal_reason":"aborted_tools","errors":[],'"$used"
      else
        result 'false,"subtype":"success","result":"Done.","stop_reason":"end_turn",'"$used"
      fi
      ;;
  esac
done

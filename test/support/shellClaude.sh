#!/bin/sh
# shellClaude: speaks like Claude Code on its pipes, in a shell, so that hundreds of them cost little.
#
# Each turn it asks for a permission, streams some pieces, and leaves a tool behind: every other one in a session of its
# own, without our marker's help from a parent.

say() { printf '%s\n' "$1"; }
piece() {
  say '{"type":"stream_event","event":{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"'"$1"' "}},"session_id":"s","uuid":"0"}'
}

turn=0
while read -r line; do
  case $line in
    *'"type":"control_request"'*)
      id=${line#*'"request_id":"'}
      say '{"type":"control_response","response":{"subtype":"success","request_id":"'"${id%%\"*}"'","response":{}}}'
      ;;
    *'"type":"user"'*)
      turn=$((turn + 1))
      say '{"type":"system","subtype":"init","cwd":"/","model":"fake","session_id":"s"}'
      say '{"type":"control_request","request_id":"ask-'$$-$turn'","request":{"subtype":"can_use_tool","tool_name":"Bash","input":{"command":"ls"},"tool_use_id":"t1"}}'
      read -r answer || exit
      if [ $(($$ % 2)) = 0 ]; then (setsid sleep 600 &); else nohup sleep 600 >/dev/null 2>&1 & fi
      for n in 1 2 3 4 5 6 7 8; do
        piece $n
        sleep 0.03
      done
      say '{"type":"assistant","message":{"id":"m","model":"fake","role":"assistant","content":[{"type":"text","text":"Done."}]},"parent_tool_use_id":null,"session_id":"s","uuid":"0"}'
      say '{"type":"result","subtype":"success","is_error":false,"result":"Done.","stop_reason":"end_turn","total_cost_usd":0,"session_id":"s","uuid":"0"}'
      ;;
  esac
done

/** policyFile: the operator's rules that `--policy` names. A relay that was told to use some does not start without them. */
import { Effect, Option } from "effect"
import * as Policy from "../services/policy/Policy.js"

/** Undefined when no file was named. Fails with `PolicyUnusable`. */
export const loadPolicy = (
  file: Option.Option<string>
): Effect.Effect<Policy.PolicyFile | undefined, Policy.PolicyUnusable> =>
  Option.isNone(file) ? Effect.succeed(undefined) : Policy.load(file.value)

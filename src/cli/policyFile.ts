/** policyFile: loads the rules named by `--policy`. The relay does not start if they cannot be used. */
import { Effect, Option } from "effect"
import * as Policy from "../services/policy/Policy.js"

/** Undefined when no file was named. Fails with `PolicyUnusable`. */
export const loadPolicy = (
  file: Option.Option<string>
): Effect.Effect<Policy.PolicyFile | undefined, Policy.PolicyUnusable> =>
  Option.isNone(file) ? Effect.succeed(undefined) : Policy.load(file.value)

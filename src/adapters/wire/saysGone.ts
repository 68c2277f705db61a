/**
 * saysGone: recognizes an agent's wording for a conversation it does not (or no longer) have.
 */

const gone =
  /(session|conversation|thread|rollout|resource)[^.]*(not found|not exist|unknown|missing)|no such (session|conversation|thread)|(unknown|invalid|no|no previous) (session|conversation|thread|rollout)|could not find/i

export const saysGone = (reason: string): boolean => gone.test(reason)

/** saysGone: an agent's words for a conversation it does not have (any more). */

const gone =
  /(session|conversation|thread|rollout|resource)[^.]*(not found|not exist|unknown|missing)|no such (session|conversation|thread)|(unknown|invalid|no|no previous) (session|conversation|thread|rollout)|could not find/i

export const saysGone = (reason: string): boolean => gone.test(reason)

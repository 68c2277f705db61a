/**
 * isComposing: whether a key belongs to an input method, as people type Chinese, Japanese or Korean with. Safari
 * says so of the key that ends it only by its code.
 */
export const isComposing = (
  { isComposing, keyCode }: Pick<KeyboardEvent, "isComposing" | "keyCode">
): boolean => isComposing || keyCode === 229

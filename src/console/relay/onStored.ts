/**
 * onStored: calls with the new value when another tab of this browser stores something under a key, or removes it (null). Gives
 * what stops it.
 */
export const onStored = (key: string, call: (value: string | null) => void) => {
  const onStorage = (event: StorageEvent) => {
    if (event.storageArea === localStorage && event.key === key) call(event.newValue)
  }
  addEventListener("storage", onStorage)
  return () => removeEventListener("storage", onStorage)
}

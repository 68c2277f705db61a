/** cutTo: the beginning of a text that takes so many bytes of UTF-8 at most; no character is cut in two. */
export const cutTo = (text: string, bytes: number): string => {
  let cut = text.slice(0, bytes)
  while (Buffer.byteLength(cut) > bytes) cut = [...cut].slice(0, -1).join("")
  return cut
}

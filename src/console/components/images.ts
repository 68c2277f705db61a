/**
 * images: pictures a person adds to a prompt.
 */
import type { ImageBlock } from "../../schema/index.js"
import { w } from "../words/words.js"

export const imageTypes = ["image/png", "image/jpeg", "image/gif", "image/webp"] as const

export interface Picture {
  readonly name: string
  /** A `data:` URL for display. */
  readonly url: string
  readonly block: ImageBlock
}

/** Base64 is a third longer, and a frame may have 50 MiB. */
const mostBytes = 20 * 1024 * 1024

const toDataUrl = (file: File) =>
  new Promise<string>((resolve, reject) => {
    const reader = new FileReader()
    reader.onload = () => resolve(String(reader.result))
    reader.onerror = () => reject(reader.error ?? new Error("unreadable"))
    reader.readAsDataURL(file)
  })

/** The picture, or why it cannot be sent. */
export const toPicture = async (file: File): Promise<Picture | string> => {
  const media_type = imageTypes.find((type) => type === file.type)
  if (media_type === undefined) return w.badImage(file.name)
  if (file.size > mostBytes) return w.largeImage(file.name)
  try {
    const url = await toDataUrl(file)
    const data = url.slice(url.indexOf(",") + 1)
    return { name: file.name, url, block: { type: "image", source: { type: "base64", media_type, data } } }
  } catch {
    return w.unreadableImage(file.name)
  }
}

export const filesOf = (data: DataTransfer | null): ReadonlyArray<File> => [...data?.files ?? []]

/** Names of the folders that were dropped: what a browser passes in their place cannot be read. */
export const foldersOf = (data: DataTransfer): ReadonlyArray<string> =>
  [...data.items].flatMap((item) => {
    const entry = item.webkitGetAsEntry()
    return entry?.isDirectory === true ? [entry.name] : []
  })

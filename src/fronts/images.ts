/**
 * images: the types of images that agents accept, however a client's platform spells them.
 */

const types = ["image/png", "image/jpeg", "image/gif", "image/webp"] as const
export type ImageType = typeof types[number]

/** A media type without its parameters, in lower case. */
export const bareType = (mediaType: string): string => (mediaType.split(";", 1)[0] ?? "").trim().toLowerCase()

/** Whether it is meant to be seen; SVG is text. */
export const isImage = (bare: string): boolean =>
  bare === "image" || (bare.startsWith("image/") && bare !== "image/svg+xml")

/** Undefined: not an image that agents accept. */
export const imageType = (mediaType: string): ImageType | undefined => {
  const bare = bareType(mediaType)
  // Not a registered name, but a common one.
  return types.find((type) => type === (bare === "image/jpg" ? "image/jpeg" : bare))
}

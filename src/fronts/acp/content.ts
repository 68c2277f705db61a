/**
 * content: converts an editor's prompt to the relay's format.
 */
import type { ContentBlock, McpServer } from "../../schema/index.js"
import { bareType, imageType } from "../images.js"
import { type Open, open, text } from "../read.js"
import { fenced, textOfFile } from "../textFiles.js"
import type { PathMap } from "./PathMap.js"

const pathIn = (uri: string, { toRelay }: PathMap): string => {
  if (!uri.startsWith("file://")) return uri
  try {
    return toRelay(decodeURIComponent(new URL(uri).pathname))
  } catch {
    return uri
  }
}

/** Text, also if the editor sent it as bytes; undefined if it is none. */
const wordsOf = (resource: Open): string | undefined => {
  const [words, blob] = [text(resource["text"]), text(resource["blob"])]
  if (words !== undefined || blob === undefined) return words
  try {
    return textOfFile(bareType(text(resource["mimeType"]) ?? ""), blob)
  } catch {
    return undefined
  }
}

/** The prompt, or a message saying what is wrong with it. */
export const toContent = (prompt: unknown, paths: PathMap): ReadonlyArray<ContentBlock> | string => {
  if (!Array.isArray(prompt) || prompt.length === 0) return "`prompt` must be a list of content blocks"
  const blocks: Array<ContentBlock> = []
  for (const each of prompt) {
    const block = open(each)
    switch (block["type"]) {
      case "text":
        blocks.push({ type: "text", text: text(block["text"]) ?? "" })
        break
      case "image": {
        const [data, mimeType, uri] = [text(block["data"]), text(block["mimeType"]) ?? "", text(block["uri"])]
        if (data !== undefined && data !== "") {
          const media_type = imageType(mimeType)
          if (media_type === undefined) return `images must be png, jpeg, gif or webp, not "${mimeType}"`
          blocks.push({ type: "image", source: { type: "base64", media_type, data } })
        } else if (uri === undefined) return "an image needs its `data` in base64, or its `uri`"
        else blocks.push({ type: "image", source: { type: "url", url: uri } })
        break
      }
      case "resource_link": {
        const uri = pathIn(text(block["uri"]) ?? "", paths)
        blocks.push({ type: "text", text: `[@${text(block["name"]) ?? uri}](${uri})` })
        break
      }
      case "resource": {
        const resource = open(block["resource"])
        const uri = pathIn(text(resource["uri"]) ?? "", paths)
        const [data, media_type] = [text(resource["blob"]), imageType(text(resource["mimeType"]) ?? "")]
        if (data !== undefined && data !== "" && media_type !== undefined) {
          blocks.push({ type: "image", source: { type: "base64", media_type, data } })
          break
        }
        const words = wordsOf(resource)
        if (words === undefined) return `${uri || "a resource"} is not text: send it as an image or a link`
        blocks.push({ type: "text", text: `\n${uri}:\n${fenced(words)}\n` })
        break
      }
      default:
        return `content of type "${
          String(block["type"])
        }" is not supported: send text, images, links or resources`
    }
  }
  return blocks
}

const pairs = (value: unknown): Record<string, string> =>
  Object.fromEntries(
    (Array.isArray(value) ? value.map(open) : []).flatMap((pair) => {
      const name = text(pair["name"])
      return name === undefined ? [] : [[name, text(pair["value"]) ?? ""]]
    })
  )

/** An editor's MCP servers in the handshake's format. */
export const toMcpServers = (servers: unknown): ReadonlyArray<McpServer> =>
  (Array.isArray(servers) ? servers.map(open) : []).flatMap((server): ReadonlyArray<McpServer> => {
    const name = text(server["name"]) || "server"
    const command = text(server["command"])
    const url = text(server["url"])
    const type = server["type"]
    if (command !== undefined && command !== "") {
      const args = Array.isArray(server["args"]) ? server["args"].map(String) : []
      return [{ name, command, args, env: pairs(server["env"]) }]
    }
    if (url === undefined || url === "" || (type !== "http" && type !== "sse")) return []
    return [{
      name,
      type: type === "sse" ? "sse" as const : "http" as const,
      url,
      headers: pairs(server["headers"])
    }]
  })

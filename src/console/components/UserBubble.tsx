/**
 * UserBubble: a person's message.
 */
import { Pencil } from "lucide-react"
import type { ImageBlock } from "../../schema/index.js"
import { w } from "../words/words.js"
import { LongText } from "./LongText.js"
import { RewindButton } from "./RewindDialog.js"

const sourceOf = ({ source }: ImageBlock): string | undefined =>
  // A page of the console loads nothing from elsewhere.
  source.type === "base64" ? `data:${source.media_type};base64,${source.data}` : undefined

interface Props {
  readonly text: string
  readonly images: ReadonlyArray<ImageBlock>
  readonly note?: string
  /** The turn it began. */
  readonly turn?: number
  readonly onEdit?: ((text: string) => void) | undefined
}

export const UserBubble = ({ images, note, onEdit, text, turn }: Props) => (
  <div className="bubble">
    {images.length > 0 && (
      <div className="bubble-images">
        {images.map((image, index) => {
          const source = sourceOf(image)
          return source === undefined
            ? <span key={`link-${index}`} className="muted">{w.image}</span>
            : <img key={source.slice(-40) + index} src={source} alt={w.attached(index + 1)} />
        })}
      </div>
    )}
    {text !== "" && (
      <p>
        <LongText text={text} lines={60} chars={6000} />
      </p>
    )}
    {note !== undefined && <small>{note}</small>}
    {turn !== undefined && <RewindButton turn={turn} />}
    {onEdit !== undefined && text !== "" && (
      <button
        type="button"
        className="icon-button small bubble-edit"
        onClick={() => onEdit(text)}
        aria-label={w.editPrompt}
        title={w.editPrompt}
      >
        <Pencil size={13} aria-hidden />
      </button>
    )}
  </div>
)

/** event: the shape all events share. `metadata` is open; `raw` is the native message, untouched. */
import { Schema } from "effect"
import { present } from "./fields.js"

export const Metadata = Schema.Record(Schema.String, Schema.Unknown)

export const event = <const Type extends string, Fields extends Schema.Struct.Fields>(
  type: Type,
  fields: Fields
) =>
  Schema.Struct({
    type: Schema.Literal(type),
    ...fields,
    metadata: present(Metadata),
    raw: present(Schema.Unknown)
  })

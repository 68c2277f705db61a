/**
 * Draft: a view while a batch of events is applied to it. The list of items is copied once per batch and an item with each
 * change, so that a page which still shows the previous view sees no change.
 */
import type { Item, PlanStep, Running, View } from "./View.js"

type Writable<A> = { -readonly [Key in keyof A]: A[Key] }

export interface Draft extends Omit<Writable<View>, "items" | "settled" | "tasks"> {
  readonly items: Array<Item>
  readonly settled: Set<string>
  readonly tasks: Map<string, PlanStep>
}

export const draftOf = (view: View): Draft => ({
  ...view,
  items: [...view.items],
  settled: new Set(view.settled),
  tasks: new Map(view.tasks)
})

/** Adds an item; returns its index. */
export const add = (draft: Draft, item: Item): number => draft.items.push(item) - 1

export const change = <Kind extends Item["kind"]>(
  draft: Draft,
  index: number,
  kind: Kind,
  fields: Partial<Extract<Item, { readonly kind: Kind }>>
): void => {
  const item = draft.items[index]
  // The fields are those of this kind of item; TypeScript cannot see that a spread keeps the union's member.
  if (item?.kind === kind) draft.items[index] = { ...item, ...fields } as Item
}

/** The last item of that kind that fits; -1 if there is none. */
export const findLast = <Kind extends Item["kind"]>(
  { items }: Draft,
  kind: Kind,
  fits: (item: Extract<Item, { readonly kind: Kind }>) => boolean
): number =>
  items.findLastIndex((item) => item.kind === kind && fits(item as Extract<Item, { readonly kind: Kind }>))

export const running = (draft: Draft, fields: Partial<Running>): void => {
  if (draft.turn !== undefined) draft.turn = { ...draft.turn, ...fields }
}

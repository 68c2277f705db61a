/**
 * ToolGroup: several read-only steps in one row that expands.
 */
import type { ToolItem } from "../../messages/View.js"
import { w } from "../words/words.js"
import { Fold } from "./Fold.js"
import { Portion } from "./Portion.js"
import { StateIcon, ToolCard } from "./ToolCard.js"
import { toolVerb } from "./toolWords.js"

/** `Read ×3, Search`, in order of first appearance. */
const verbsOf = (items: ReadonlyArray<ToolItem>): string => {
  const counts = new Map<string, number>()
  for (const { tool } of items) counts.set(toolVerb(tool), (counts.get(toolVerb(tool)) ?? 0) + 1)
  return [...counts].map(([verb, count]) => count === 1 ? verb : `${verb} ×${count}`).join(", ")
}

export const ToolGroup = (
  { folder, items }: { readonly items: ReadonlyArray<ToolItem>; readonly folder: string }
) => (
  <div className="tool tool-group" data-state="ok">
    <Fold
      name={`${items[0]?.key} group`}
      summary={
        <>
          <StateIcon state="ok" />
          <span className="tool-verb">{w.stepCount(items.length)}</span>
          <span className="tool-subject">{verbsOf(items)}</span>
        </>
      }
    >
      <Portion all={items}>{(item) => <ToolCard key={item.key} item={item} folder={folder} />}</Portion>
    </Fold>
  </div>
)

/**
 * drawMaths: TeX as MathML, which browsers render themselves, without a library's fonts or stylesheet. Loaded
 * with the first formula.
 *
 * The output is built node by node, never from HTML, and contains only elements and attributes on this list.
 */
import temml from "temml"

const mathMl = "http://www.w3.org/1998/Math/MathML"
const elements = new Set(
  ("math mrow mi mn mo mtext mspace mfrac msqrt mroot msub msup msubsup munder mover munderover mmultiscripts mprescripts none "
    + "mtable mtr mtd mpadded mphantom mstyle menclose semantics").split(" ")
)
const attributes = new Set(
  ("class display displaystyle scriptlevel mathvariant mathcolor mathbackground mathsize stretchy symmetric fence separator form "
    + "lspace rspace minsize maxsize largeop movablelimits accent accentunder linethickness width height depth voffset columnalign "
    + "columnspacing rowspacing columnlines rowlines notation style").split(" ")
)
/** None of them reaches outside the formula's own box or loads anything. */
const properties = new Set(
  ("color background-color border border-top border-bottom border-left border-right border-color padding padding-top padding-bottom "
    + "padding-left padding-right margin-left margin-right text-align width font-weight font-style font-family math-depth math-style "
    + "vertical-align justify-content").split(" ")
)

/** False: it contains something that is not on the list. */
const isTidied = (element: Element): boolean => {
  const isKnown = element.namespaceURI === mathMl
    ? elements.has(element.localName)
    : element.localName === "span"
  if (!isKnown) return false
  for (const { name } of [...element.attributes]) {
    if (!attributes.has(name) && name !== "xmlns") element.removeAttribute(name)
  }
  const { style } = element as HTMLElement | MathMLElement
  for (const name of [...style]) if (!properties.has(name)) style.removeProperty(name)
  return [...element.children].every(isTidied)
}

/** Undefined: not TeX that can be rendered. */
export const drawMaths = (tex: string, display: boolean): Element | undefined => {
  const holder = document.createElement("span")
  try {
    temml.render(tex, holder, { displayMode: display, throwOnError: true, maxSize: [20, 20], maxExpand: 500 })
  } catch {
    return undefined
  }
  return holder.childElementCount > 0 && [...holder.children].every(isTidied) ? holder : undefined
}

/** What we use of `@mermaid-js/tiny`, which comes without types; `scripts/mermaid.mjs` makes it a module. */
declare module "@mermaid-js/tiny" {
  const mermaid: {
    readonly initialize: (settings: Readonly<Record<string, unknown>>) => void
    /** `place`: where it is measured. */
    readonly render: (id: string, text: string, place?: Element) => Promise<{ readonly svg: string }>
  }
  export default mermaid
}

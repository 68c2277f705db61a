export declare const generated: string
export declare const generate: () => Promise<string>

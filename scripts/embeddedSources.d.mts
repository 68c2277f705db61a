export declare const embeddedSources: () => Record<string, string>

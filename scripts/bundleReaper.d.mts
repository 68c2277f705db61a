export declare const bundleReaper: () => string

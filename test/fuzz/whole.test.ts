/** Every variant of every agent: some ten thousand, some minutes. */
import { describeFuzz } from "../adapters/fuzz/fuzz.js"

describeFuzz()

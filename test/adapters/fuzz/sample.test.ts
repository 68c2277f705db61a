/** A few of all variants; `npm run test:fuzz` plays every one. */
import { describeFuzz } from "./fuzz.js"

describeFuzz(30)

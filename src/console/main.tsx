/** The console: the page to try a relay with. Everything it needs comes from the relay itself. */
import { StrictMode } from "react"
import { createRoot } from "react-dom/client"
import { App } from "./components/App.js"
import { PageBoundary } from "./components/Boundary.js"
import { LinkToken } from "./components/LinkToken.js"
import { applyTheme } from "./components/ThemeButton.js"
import { takeToken } from "./relay/address.js"
import { theme } from "./relay/kept.js"
import { startWorker } from "./relay/shell.js"
import { chosenLanguage, speak } from "./words/speak.js"
import "./styles/index.css"

const offered = takeToken()
applyTheme(theme())
await speak(chosenLanguage())
startWorker()
const root = document.getElementById("app")
if (root !== null) {
  createRoot(root).render(
    <StrictMode>
      <PageBoundary>
        <LinkToken offered={offered}>
          <App />
        </LinkToken>
      </PageBoundary>
    </StrictMode>
  )
}

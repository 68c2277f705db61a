/**
 * Chat: the console's conversation for a page of your own: transcript, questions, plan and prompt box. Its
 * styles are in `ai-relay/react/style.css`, which affects nothing outside it; every colour and font is a
 * variable (docs/react.md). The rendering code is loaded with the first chat.
 */
import { type ComponentType, type CSSProperties, lazy, Suspense } from "react"
import { setWords, type Words } from "../console/words/words.js"
import type { SessionHook } from "./useSession.js"

export interface ChatProps {
  /** The result of `useSession`. */
  readonly session: SessionHook
  /** Default `system`: light or dark like the reader's device. */
  readonly theme?: "system" | "light" | "dark"
  /** For all chats on the page; default `en`. */
  readonly language?: "en" | "de" | "zh"
  readonly className?: string
  readonly style?: CSSProperties
}

type Language = NonNullable<ChatProps["language"]>

const words = {
  en: () => import("../console/words/en.js").then(({ en }) => en),
  de: () => import("../console/words/de.js").then(({ de }) => de),
  zh: () => import("../console/words/zh.js").then(({ zh }) => zh)
} satisfies Record<Language, () => Promise<Words>>

const bodyIn = (language: Language) =>
  lazy(async (): Promise<{ readonly default: ComponentType<{ readonly session: SessionHook }> }> => {
    const [spoken, { ChatBody }] = await Promise.all([words[language](), import("./ChatBody.js")])
    setWords(spoken)
    return { default: ChatBody }
  })

const bodies = { en: bodyIn("en"), de: bodyIn("de"), zh: bodyIn("zh") }

export const Chat = ({ className = "", language = "en", session, style, theme = "system" }: ChatProps) => {
  const Body = bodies[language]
  return (
    <div className={`ai-relay ${className}`.trim()} data-theme={theme} lang={language} style={style}>
      <Suspense fallback={<div className="page session" aria-busy="true" />}>
        <Body session={session} />
      </Suspense>
    </div>
  )
}

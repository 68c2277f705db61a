/** pushWords: what notifications say. The service worker has these and no other words of the console. */
export interface PushWords {
  readonly waits: (agent: string) => string
  readonly finished: (agent: string) => string
  readonly plan: string
  readonly question: string
  readonly budget: string
  readonly openToSee: string
  readonly open: string
  readonly allow: string
  readonly deny: string
  readonly over: string
  readonly failed: string
}

const en: PushWords = {
  waits: (agent) => `${agent} is waiting for you`,
  finished: (agent) => `${agent} has finished`,
  plan: "There is a plan to approve.",
  question: "There is a question to answer.",
  budget: "The budget is used up.",
  openToSee: "Open to see all of it.",
  open: "Open",
  allow: "Allow",
  deny: "Deny",
  over: "This was answered already.",
  failed: "Your answer did not arrive. Open the session to answer."
}

const de: PushWords = {
  waits: (agent) => `${agent} wartet auf Sie`,
  finished: (agent) => `${agent} ist fertig`,
  plan: "Ein Plan wartet auf Ihre Zustimmung.",
  question: "Eine Frage wartet auf Ihre Antwort.",
  budget: "Das Budget ist aufgebraucht.",
  openToSee: "Öffnen, um alles zu sehen.",
  open: "Öffnen",
  allow: "Erlauben",
  deny: "Ablehnen",
  over: "Das ist schon beantwortet.",
  failed: "Ihre Antwort kam nicht an. Öffnen Sie die Sitzung, um zu antworten."
}

const zh: PushWords = {
  waits: (agent) => `${agent} 正在等你`,
  finished: (agent) => `${agent} 已完成`,
  plan: "有一份计划等你批准。",
  question: "有一个问题等你回答。",
  budget: "预算已用完。",
  openToSee: "打开查看全部内容。",
  open: "打开",
  allow: "允许",
  deny: "拒绝",
  over: "这个问题已有答复。",
  failed: "答复未送达。请打开会话作答。"
}

export const pushWords = { en, de, zh }

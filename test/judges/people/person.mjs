/**
 * person: what the people of all fronts have in common: a process that can be killed, told in JSON what to do, that prints
 * what it shows as lines of JSON:
 *
 *     {"session": ID}                 what it opened
 *     {"view": [ITEM, …]}             each time it shows something else
 *     {"asked": [ID, …]}              something waits for an answer
 *     {"failed": TEXT}                a prompt ended with an error
 *     {"done": true, "view": …, "failures": …}
 *
 * An item is what a person sees, whatever the front: `{user}`, `{thought}`, `{text}`, or a tool with its state, what came of
 * it, and the files it changed.
 */
import { pathToFileURL } from "node:url"

/**
 * `{ loader, sdk, url, tool, session?, cwd, come?, prompts?, waits? }`; more, as a front needs it. `waits`: answers nothing
 * before it is told to go on, by a line on stdin; nor does it prompt again before that when a prompt has failed.
 */
export const told = JSON.parse(process.argv[2])

export const load = async (name) => (await import(pathToFileURL(told.loader))).load(name)

export const say = (what) => process.stdout.write(`${JSON.stringify(what)}\n`)

let last = ""
export const show = (view) => {
  const text = JSON.stringify(view)
  if (text === last) return
  last = text
  say({ view })
}

/** It may go on. */
export const goesOn = new Promise((resolve) => process.stdin.once("data", resolve))

/** Before each prompt: who has seen one fail does not type before all is well again. */
export const mayPrompt = (failures) => failures.length > 0 ? goesOn : undefined

/** Each question's first option. */
export const firstOptions = (questions) =>
  Object.fromEntries(questions.map(({ id, options, question }) => [id ?? question, options[0].label]))

/** Until it holds; asked again after so many ms. */
export const until = async (holds, pause = 50) => {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, pause))
}

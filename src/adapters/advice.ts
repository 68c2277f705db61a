/**
 * advice: what to run if a program or a login is missing, in the same words for all agents.
 */

export const npm = (name: string) => `Install it on the relay's machine: npm install -g ${name}`
export const see = (address: string) => `Install it on the relay's machine: ${address}`
export const run = (command: string) => `On the relay's machine run: ${command}`
export const runOnce = (command: string) => `On the relay's machine run \`${command}\` once and log in there.`

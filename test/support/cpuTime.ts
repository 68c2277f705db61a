/** cpuTime: how long code runs, whatever else this machine does at the time. */

/** Milliseconds of this process's CPU time. */
export const cpuTime = (code: () => void): number => {
  const before = process.cpuUsage()
  code()
  const { system, user } = process.cpuUsage(before)
  return (system + user) / 1000
}

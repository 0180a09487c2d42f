export type Log = (level: 'info' | 'warn' | 'error', msg: string, fields?: Record<string, unknown>) => void

/** One line of JSON for each entry, on the standard output. */
export const logLine: Log = (level, msg, fields = {}) =>
  console.log(JSON.stringify({ at: new Date().toISOString(), level, msg, ...fields }))

export interface Logger {
  info(msg: string, fields?: Record<string, unknown>): void
  warn(msg: string, fields?: Record<string, unknown>): void
  /** With the cause of an `error` among the fields, down to its root. */
  error(msg: string, fields?: Record<string, unknown>): void
}

/** One JSON line an entry: what log collectors read. */
export function jsonLogger(write: (line: string) => void, now: () => number): Logger {
  const at =
    (level: string) =>
    (msg: string, fields: Record<string, unknown> = {}) => {
      const plain = Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, describe(value)]))
      write(JSON.stringify({ at: new Date(now()).toISOString(), level, msg, ...plain }))
    }
  return { info: at('info'), warn: at('warn'), error: at('error') }
}

const describe = (value: unknown): unknown =>
  value instanceof Error
    ? { name: value.name, message: value.message, stack: value.stack, cause: describe(value.cause) }
    : value

export const silentLogger: Logger = { info() {}, warn() {}, error() {} }

/** What a person can mend: shown as it is, without a stack trace. Says what is missing and how to get it. */
export class StackError extends Error {
  override readonly name = 'StackError'
}

/** How an error is told to a person: what was foreseen as text, a bug with its trace. */
export function explain(error: unknown): string {
  if (error instanceof StackError) return error.message
  if (error instanceof Error) return error.stack ?? String(error)
  return String(error)
}

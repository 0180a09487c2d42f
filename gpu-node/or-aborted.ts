/** At once, though what it waits for may go on. @throws AbortError */
export async function orAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work
  if (signal.aborted) throw aborted()
  const aborting = Promise.withResolvers<never>()
  const onAbort = () => aborting.reject(aborted())
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await Promise.race([work, aborting.promise])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

export const aborted = () => new DOMException('The run was aborted.', 'AbortError')

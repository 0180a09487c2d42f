export interface BatchLimits<T> {
  readonly maxItems: number
  /** A batch is closed by the item that brings it to this size. */
  readonly maxBytes: number
  /** How long a batch may wait for more, from its first item on. */
  readonly lingerMs: number
  readonly bytesOf: (item: T) => number
  /** Resolves after `ms`, or when the signal is aborted. */
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>
}

const LINGERED = Symbol('lingered')

/** Groups what a source yields by number, size and time. The source is asked for one item at a time. */
export async function* batches<T>(source: AsyncIterable<T>, limits: BatchLimits<T>): AsyncGenerator<T[]> {
  const items = source[Symbol.asyncIterator]()
  const ask = () => {
    const next = items.next()
    // It may fail while the batch before it is being worked on. It is awaited after that.
    next.catch(() => {})
    return next
  }
  let next = ask()
  for (;;) {
    const first = await next
    if (first.done) return
    const batch = [first.value]
    let bytes = limits.bytesOf(first.value)
    const full = new AbortController()
    const lingered = limits.wait(limits.lingerMs, full.signal).then(() => LINGERED)
    next = ask()
    while (batch.length < limits.maxItems && bytes < limits.maxBytes) {
      const result = await Promise.race([next, lingered])
      if (typeof result === 'symbol' || result.done) break
      batch.push(result.value)
      bytes += limits.bytesOf(result.value)
      next = ask()
    }
    full.abort()
    yield batch
  }
}

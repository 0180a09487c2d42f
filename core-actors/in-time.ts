/** What `asked` comes to within `ms`; `undefined` when it fails or takes longer, which is logged as `what`. */
export async function inTime<T>(asked: () => Promise<T>, ms: number, what: string): Promise<T | undefined> {
  const late = Promise.withResolvers<undefined>()
  const timer = setTimeout(() => {
    console.warn(`${what}: no answer within ${ms} ms`)
    late.resolve(undefined)
  }, ms)
  const answer = asked().catch((error) => void console.warn(what, error))
  try {
    return await Promise.race([answer, late.promise])
  } finally {
    clearTimeout(timer)
  }
}

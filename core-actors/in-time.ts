/** What `asked` comes to within `ms`; `undefined` when it fails or takes longer, which is logged as `what`. */
export async function inTime<T>(asked: () => Promise<T>, ms: number, what: string): Promise<T | undefined> {
  let timer: ReturnType<typeof setTimeout> | null = null
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => {
      console.warn(`${what}: no answer within ${ms} ms`)
      resolve(undefined)
    }, ms)
  })
  const answer = asked().catch((error) => void console.warn(what, error))
  try {
    return await Promise.race([answer, late])
  } finally {
    clearTimeout(timer)
  }
}

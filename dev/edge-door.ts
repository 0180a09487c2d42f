import { freePort, HOST, isFree } from './ports.ts'
import { StackError } from './stack-error.ts'

const READY_MS = 120_000

/** @param wanted 0 for any @throws StackError when it is taken */
export async function edgePort(wanted: number): Promise<number> {
  if (wanted === 0) return await freePort()
  if (await isFree(wanted)) return wanted
  throw new StackError(`Port ${wanted} is taken on ${HOST}. Set ORIEL_PORT to another one, or to 0 for any free one.`)
}

/** Comes back when a request would succeed; without any node, when the edge answers. @throws StackError in the end */
export async function untilReady(origin: string, hasNodes: () => boolean): Promise<void> {
  const until = performance.now() + READY_MS
  let said = 'nothing'
  while (performance.now() < until) {
    try {
      const answer = await fetch(`${origin}/readyz`, { signal: AbortSignal.timeout(5_000) })
      if (answer.ok || !hasNodes()) return
      said = await answer.text()
    } catch (error) {
      said = error instanceof Error ? error.message : String(error)
    }
    await Bun.sleep(50)
  }
  throw new StackError(`The edge is not ready after ${READY_MS / 1000} s. It says: ${said}`)
}

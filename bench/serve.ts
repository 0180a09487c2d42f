import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { GRAPHS, type GraphName, writeGraphs } from './graphs.ts'
import { type LoadPlan, measureLoad } from './http-load.ts'
import { type Result, rate, time } from './result.ts'

const ROOT = join(import.meta.dir, '..')
const CONNECTIONS = [1, 8, 32, 64]
/** Turns of either kind, so that a machine that is busy for a while is so for both. */
const TURNS = 3
const WARM_UP_MS = 2_000

/** A program that says where it is with a line `ready <url>`, and ends when its input does, as it does when we die. */
async function startServer(args: readonly string[]): Promise<AsyncDisposable & { readonly url: URL }> {
  const child = Bun.spawn([process.execPath, ...args], { stdio: ['pipe', 'pipe', 'ignore'] })
  const stop = async () => {
    child.kill('SIGTERM')
    await child.exited
  }
  const decoder = new TextDecoder()
  let said = ''
  for await (const chunk of child.stdout) {
    said += decoder.decode(chunk, { stream: true })
    const url = /^ready (\S+)$/m.exec(said)?.[1]
    if (url) return { url: new URL(url), [Symbol.asyncDispose]: stop }
  }
  throw new Error(`${args[0]} ended before it was ready: ${said}`)
}

/** One row, the same for everybody. */
export function rowOf(graph: GraphName): string {
  const width = GRAPHS[graph][0]
  const data = Array.from({ length: width }, (_, index) => ((index % 17) - 8) / 8)
  return JSON.stringify({ inputs: [{ name: 'x', datatype: 'FP32', shape: [1, width], data }] })
}

/** Requests/s of a node alone over HTTP, beside a server that reads the same JSON and has its answer ready. */
export async function serveRates(forMs: number): Promise<Result[]> {
  const dir = mkdtempSync(join(tmpdir(), 'oriel-serve-'))
  try {
    await writeGraphs(dir)
    const options = ['--models', dir, '--http', '0', '--exit-with-parent']
    await using node = await startServer([join(ROOT, 'gpu-node/serve/main.ts'), ...options])
    const results: Result[] = []
    for (const graph of Object.keys(GRAPHS) as GraphName[]) {
      const path = `/v2/models/${graph}/infer`
      const body = rowOf(graph)
      const answer = await (await fetch(new URL(path, node.url), { method: 'POST', body })).text()
      const { outputs } = JSON.parse(answer)
      await using bare = await startServer([join(ROOT, 'bench/bare-http.ts'), answer])
      const plan = { path, body, expected: outputs[0].data, forMs: forMs / TURNS, warmUpMs: WARM_UP_MS }
      for (const connections of CONNECTIONS)
        results.push(...(await beside(node.url, bare.url, { ...plan, connections })))
    }
    return results
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

async function beside(node: URL, bare: URL, plan: Omit<LoadPlan, 'hostname' | 'port'>): Promise<Result[]> {
  const found: Record<'ours' | 'limit', { perSecond: number; p50Ms: number }[]> = { ours: [], limit: [] }
  for (let turn = 0; turn < TURNS; turn++) {
    for (const [kind, { hostname, port }] of [
      ['ours', node],
      ['limit', bare],
    ] as const) {
      const load = await measureLoad({
        ...plan,
        hostname,
        port: Number(port),
        warmUpMs: turn === 0 ? plan.warmUpMs : 0,
      })
      if (load.wrong > 0) throw new Error(`${plan.path}: ${load.wrong} answers were wrong: ${load.firstWrong}`)
      found[kind].push(load)
    }
  }
  const median = (kind: 'ours' | 'limit', of: 'perSecond' | 'p50Ms') =>
    found[kind].map((load) => load[of]).sort((a, b) => a - b)[TURNS >> 1] ?? Number.NaN
  const name = `${plan.path.split('/')[3]}, ${plan.connections} connections`
  return [
    rate(name, 'requests/s', median('ours', 'perSecond'), median('limit', 'perSecond')),
    ...(plan.connections === 1 ? [time(`${name}, p50`, median('ours', 'p50Ms'), median('limit', 'p50Ms'))] : []),
  ]
}

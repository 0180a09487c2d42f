import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface Tally {
  readonly passed: number
  readonly failed: number
}

/** The sums of a JUnit report, as `bun test --reporter=junit` writes it; undefined for what is no report. */
export function tallyOf(report: string): Tally | undefined {
  const head = /<testsuites\b[^>]*>/.exec(report)?.[0]
  if (!head) return undefined
  const count = (name: string) => Number(new RegExp(`\\b${name}="(\\d+)"`).exec(head)?.[1] ?? 0)
  const failed = count('failures') + count('errors')
  return { passed: count('tests') - failed - count('skipped'), failed }
}

/** Runs `bun test` over some files and shows what it says. A run that broke off counts as a failure more. */
export async function runTests(paths: readonly string[], cwd: string, timeoutMs: number): Promise<Tally> {
  const folder = mkdtempSync(join(tmpdir(), 'oriel-test-'))
  const report = join(folder, 'report.xml')
  try {
    const options = [`--timeout=${timeoutMs}`, '--reporter=junit', `--reporter-outfile=${report}`]
    const run = Bun.spawn([process.execPath, 'test', ...options, ...paths], {
      cwd,
      stdin: 'ignore',
      stdout: 'inherit',
      stderr: 'inherit',
      env: { ...process.env },
    })
    const pass = (signal: NodeJS.Signals) => run.kill(signal)
    process.on('SIGINT', pass).on('SIGTERM', pass)
    const code = await run.exited
    process.removeListener('SIGINT', pass).removeListener('SIGTERM', pass)
    const tally = readReport(report) ?? { passed: 0, failed: 0 }
    return code !== 0 && tally.failed === 0 ? { ...tally, failed: 1 } : tally
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function readReport(path: string): Tally | undefined {
  try {
    return tallyOf(readFileSync(path, 'utf8'))
  } catch {
    return undefined // a run that crashed has written none, and its exit code says so
  }
}

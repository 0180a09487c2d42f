import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
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

/**
 * Runs `bun test` over some files. A run that broke off counts as a failure more.
 * @returns with what it said, all at once: other runs go on beside it
 */
export async function runTests(
  paths: readonly string[],
  cwd: string,
  timeoutMs: number,
): Promise<Tally & { readonly output: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'oriel-test-'))
  const report = join(folder, 'report.xml')
  const said = join(folder, 'output.txt')
  const fd = openSync(said, 'w')
  try {
    const options = [`--timeout=${timeoutMs}`, '--reporter=junit', `--reporter-outfile=${report}`]
    const run = Bun.spawn([process.execPath, 'test', ...options, ...paths], {
      cwd,
      stdin: 'ignore',
      stdout: fd,
      stderr: fd,
      env: { ...process.env },
    })
    const pass = (signal: NodeJS.Signals) => run.kill(signal)
    process.on('SIGINT', pass).on('SIGTERM', pass)
    const code = await run.exited
    process.removeListener('SIGINT', pass).removeListener('SIGTERM', pass)
    const tally = readReport(report) ?? { passed: 0, failed: 0 }
    const failed = code !== 0 && tally.failed === 0 ? 1 : tally.failed
    return { passed: tally.passed, failed, output: readFileSync(said, 'utf8') }
  } finally {
    closeSync(fd)
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

import { readdirSync, readFileSync } from 'node:fs'

export interface ProcessRow {
  readonly pid: number
  readonly parent: number
  readonly group: number
  /** Differs between two processes that had the same pid one after the other: clock ticks since boot, or a date. */
  readonly start: string
}

/** Every process that is alive; a zombie, which only waits to be reaped, is not. */
export function processes(): ProcessRow[] {
  if (process.platform !== 'linux') return fromPs()
  // Not `ps`: slim images have none.
  return readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? (fromProc(Number(name)) ?? []) : []))
}

/** The process `pid`, if it is alive. */
export function processRow(pid: number): ProcessRow | undefined {
  return process.platform === 'linux' ? fromProc(pid) : fromPs(pid)[0]
}

/** Children, their children and so on. */
export function descendants(pid: number, table: readonly ProcessRow[] = processes()): ProcessRow[] {
  const children = table.filter((row) => row.parent === pid)
  return children.flatMap((child) => [child, ...descendants(child.pid, table)])
}

/** The command line of a process, its arguments parted by spaces; empty when it is gone. */
export function commandLine(pid: number): string {
  try {
    if (process.platform === 'linux') return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()
    return Bun.spawnSync(['ps', '-o', 'args=', '-p', String(pid)])
      .stdout.toString()
      .trim()
  } catch {
    return ''
  }
}

function fromProc(pid: number): ProcessRow | undefined {
  let stat: string
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  } catch {
    return undefined
  }
  // proc(5): the command stands in brackets and may hold spaces and brackets itself.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const [state, parent, group] = fields
  if (state === 'Z' || state === 'X') return undefined
  return { pid, parent: Number(parent), group: Number(group), start: fields[19] ?? '' }
}

function fromPs(pid?: number): ProcessRow[] {
  const which = pid === undefined ? ['-A'] : ['-p', String(pid)]
  const said = Bun.spawnSync(['ps', ...which, '-o', 'pid=,ppid=,pgid=,stat=,lstart=']).stdout.toString()
  return said.split('\n').flatMap((line) => {
    const match = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s+(.+?)\s*$/.exec(line)
    if (!match || match[4]?.startsWith('Z')) return []
    return [{ pid: Number(match[1]), parent: Number(match[2]), group: Number(match[3]), start: match[5] ?? '' }]
  })
}

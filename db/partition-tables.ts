import type { Database } from './database.ts'
import { DAY_MS, PARTITIONED, type Partition, partitionsFor, partitionsOf } from './partitions.ts'

/** Two recorders make partitions one after the other. Another number than the migrations'. */
const LOCK = 0x6f72_6966
/** How far ahead partitions are made: the recorder may be away for this long and facts still find theirs. */
const AHEAD_MS = 7 * DAY_MS

/** The partitions that are there, and the making of those that are not. */
export class PartitionTables {
  readonly #database: Database
  readonly #known = new Set<string>()

  constructor(database: Database) {
    this.#database = database
  }

  /** @param now ms since the epoch */
  async ensureAhead(now: number): Promise<void> {
    await this.#ensure(partitionsFor(now, now + AHEAD_MS))
  }

  async ensureFor(ids: Iterable<string>): Promise<void> {
    await this.#ensure(partitionsOf(ids))
  }

  forget(): void {
    this.#known.clear()
  }

  async #ensure(partitions: readonly Partition[]): Promise<void> {
    const missing = partitions.filter(({ suffix }) => !this.#known.has(suffix))
    if (missing.length === 0) return
    await this.#database.run((client) =>
      client.begin(async (sql) => {
        await sql`set local lock_timeout = '10s'`
        await sql`select pg_advisory_xact_lock(${LOCK})`
        const rows = await sql<{ name: string }[]>`
        select inhrelid::regclass::text as name from pg_inherits
        where inhparent = any (${[...PARTITIONED]}::regclass[])`
        const there = new Set(rows.map(({ name }) => name))
        for (const table of PARTITIONED) {
          for (const { suffix, from, to } of missing) {
            const name = `${table}_${suffix}`
            if (there.has(name)) continue
            // CREATE TABLE … PARTITION OF would lock out every reader of the whole table; attaching does not.
            await sql.unsafe(`create table if not exists ${name} (like ${table} including all)`)
            await sql.unsafe(`alter table ${table} attach partition ${name} for values from ('${from}') to ('${to}')`)
          }
        }
      }),
    )
    for (const { suffix } of missing) this.#known.add(suffix)
  }
}

import { fileURLToPath } from 'node:url'
import { drizzle } from 'drizzle-orm/postgres-js'
import { migrate as runMigrations } from 'drizzle-orm/postgres-js/migrator'
import postgres from 'postgres'

/** Any number that nothing else in the database locks: two stacks that start at once migrate one after the other. */
const LOCK = 0x6f72_6965

/** Brings the database at `url` to the current schema. */
export async function migrate(url: string): Promise<void> {
  // One connection: the lock belongs to the session that takes it.
  const client = postgres(url, { max: 1, onnotice: () => {} })
  try {
    await client`select pg_advisory_lock(${LOCK})`
    await runMigrations(drizzle(client), { migrationsFolder: fileURLToPath(new URL('migrations', import.meta.url)) })
  } finally {
    await client.end()
  }
}

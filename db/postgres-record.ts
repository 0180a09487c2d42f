import type { Database } from './database.ts'
import { INSERT, insertParameters } from './insert.ts'
import { type Fact, rowsOf } from './parse-fact.ts'
import type { PartitionTables } from './partition-tables.ts'
import type { FactStore } from './recorder.ts'

/** The record in PostgreSQL. */
export class PostgresRecord implements FactStore {
  readonly #database: Database
  readonly #tables: PartitionTables

  constructor(database: Database, tables: PartitionTables) {
    this.#database = database
    this.#tables = tables
  }

  async insert(facts: readonly Fact[]): Promise<void> {
    const ids = facts.flatMap(rowsOf)
    await this.#tables.ensureFor(ids)
    try {
      await this.#insert(facts)
    } catch (error) {
      if (!isMissingPartition(error)) throw error
      // Dropped since we saw it.
      this.#tables.forget()
      await this.#tables.ensureFor(ids)
      await this.#insert(facts)
    }
  }

  /**
   * Data that a column cannot hold (class 22), a constraint (23), or more than PostgreSQL can take (54).
   * All else, a wrong password and a missing table included, is for a person to mend while the facts wait.
   */
  refuses(error: unknown): boolean {
    return /^(22|23|54)/.test(sqlState(error)) && !isMissingPartition(error)
  }

  async #insert(facts: readonly Fact[]): Promise<void> {
    await this.#database.run((client) => client.unsafe(INSERT, insertParameters(facts), { prepare: true }))
  }
}

/** "no partition of relation found for row" has the code of a check that failed, but names no constraint. */
const isMissingPartition = (error: unknown): boolean =>
  sqlState(error) === '23514' && !(error instanceof Error && 'constraint_name' in error && error.constraint_name)

const sqlState = (error: unknown): string =>
  error instanceof Error && error.name === 'PostgresError' && 'code' in error ? String(error.code) : ''

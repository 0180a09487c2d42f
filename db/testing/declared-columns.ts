import { getTableConfig } from 'drizzle-orm/pg-core'
import * as schema from '../schema.ts'

/** The columns of schema.ts, as `table.column` and ` not null`. */
export const declaredColumns = (): string[] =>
  Object.values(schema)
    .map((table) => getTableConfig(table))
    .flatMap(({ name, columns }) =>
      columns.map(({ name: column, notNull }) => `${name}.${column}${notNull ? ' not null' : ''}`),
    )

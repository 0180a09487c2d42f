import { MigrateConfig, readConfig } from './config.ts'
import { migrate } from './migrate.ts'

const config = readConfig('bun run db:migrate', MigrateConfig)
await migrate(config.ORIEL_DATABASE_URL)
console.log('The database is up to date.')

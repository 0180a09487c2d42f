import type { Platform } from './platform.ts'

export interface Readiness {
  readonly broker: boolean
  readonly database: boolean
  /** That are alive. */
  readonly nodes: number
}

/** Which of the parts behind the edge answer now. */
export async function readinessOf(platform: Platform): Promise<Readiness> {
  const [{ broker, nodes }, database] = await Promise.all([askRelay(platform), askDatabase(platform)])
  return { broker, database, nodes }
}

async function askRelay(platform: Platform) {
  try {
    return await platform.relay().health()
  } catch (error) {
    console.warn('the relay does not answer', error)
    return { broker: false, nodes: 0 }
  }
}

async function askDatabase(platform: Platform): Promise<boolean> {
  try {
    await platform.history((history) => history.isRecorded('00000000-0000-7000-8000-000000000000', 1))
    return true
  } catch (error) {
    console.warn('the database does not answer', error)
    return false
  }
}

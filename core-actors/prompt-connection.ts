import type { Msg, NatsConnection } from '@nats-io/nats-core'
import type { Calls } from './calls.ts'

/**
 * The same connection, but what is requested over it goes through `calls`. The client itself would wait for each answer
 * until its time is over, also when the connection is gone.
 */
export function promptConnection(connection: NatsConnection, calls: Calls): NatsConnection {
  const prompt: NatsConnection = Object.create(connection)
  prompt.request = (...question) => calls.through(() => connection.request(...question))
  prompt.requestMany = async (...question) => {
    const answers = await calls.through(async () => {
      const all: Msg[] = []
      for await (const answer of await connection.requestMany(...question)) all.push(answer)
      return all
    })
    return (async function* () {
      yield* answers
    })()
  }
  return prompt
}

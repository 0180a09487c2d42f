import type { Msg, NatsConnection } from '@nats-io/nats-core'

/** Hears what comes on a subject for as long as the connection lasts. What `heard` throws ends nothing; it is logged. */
export function subscribe(
  connection: NatsConnection,
  subject: string,
  heard: (message: Msg) => void | Promise<void>,
): void {
  const failed = (error: unknown) => console.warn(`what came on ${subject} was not understood`, error)
  connection.subscribe(subject, {
    callback: (error, message) => {
      if (error) return failed(error)
      try {
        heard(message)?.catch(failed)
      } catch (cause) {
        failed(cause)
      }
    },
  })
}

import postgres, { type Sql } from 'postgres'

/** A statement that gets no answer for this long: the connection is half open, or the server hangs. */
const ANSWER_MS = 30_000

/** The recorder's connections to PostgreSQL. They come back by themselves after it was away. */
export class Database {
  readonly #open: () => Sql
  readonly #answerMs: number
  #client: Sql

  constructor(url: string, answerMs = ANSWER_MS) {
    this.#open = () =>
      postgres(url, {
        max: 4,
        connect_timeout: 10, // seconds
        onnotice: () => {},
        // The longest that postgres.js waits between two tries to connect; 20 s by itself. Seconds.
        backoff: (attempt) => Math.min(2, 0.1 * 2 ** attempt),
        connection: { application_name: 'oriel-recorder' },
      })
    this.#answerMs = answerMs
    this.#client = this.#open()
  }

  /**
   * Does `work` with a client, and gives it up with all its connections when there is no answer.
   * Whether what was sent has been committed is then not known: the work must be fit to be done again.
   */
  async run<T>(work: (client: Sql) => Promise<T>): Promise<T> {
    const client = this.#client
    let timer: ReturnType<typeof setTimeout> | undefined
    const silence = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(new Error(`PostgreSQL did not answer within ${this.#answerMs} ms`))
        if (this.#client === client) this.#client = this.#open()
        void client.end({ timeout: 0 })
      }, this.#answerMs)
    })
    try {
      return await Promise.race([work(client), silence])
    } finally {
      clearTimeout(timer)
    }
  }

  async end(): Promise<void> {
    await this.#client.end({ timeout: 5 }) // seconds
  }
}

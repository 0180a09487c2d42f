import type { Log } from './log.ts'
import { type Fact, parseFact } from './parse-fact.ts'

/** A message of HISTORY. */
export interface FactMessage {
  readonly subject: string
  readonly data: Uint8Array
  /** Its place in the stream, by which a person can look it up. */
  readonly seq: number
  ack(): void
  /** To be delivered again, at once. */
  nak(): void
  /** Never to be delivered again, though it stays in the stream. */
  term(reason: string): void
}

/** Where facts go. */
export interface FactStore {
  /** All of them or none; those that are there already change nothing. */
  insert(facts: readonly Fact[]): Promise<void>
  /** Whether this error of `insert` is about a fact, which will then never be stored, and not about the store. */
  refuses(error: unknown): boolean
}

export interface RecorderOptions {
  readonly store: FactStore
  readonly log: Log
  readonly now: () => number
  readonly random: () => number
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>
}

const FIRST_RETRY_MS = 100
const MAX_RETRY_MS = 5_000

type Parsed = { readonly message: FactMessage; readonly fact: Fact }

/**
 * Batches of messages into the store. A message is acknowledged when it is committed and not before, so
 * whatever happens in between, it comes again, and coming again does no harm.
 *
 *   batch ─▶ parse ─▶ insert ─▶ committed: ack
 *              │        ├─ the store is away: again, for as long as it takes
 *              ▼        └─ it refuses a fact: each half by itself, down to the one
 *             term ◀───────────────────────────────────────────────────────┘
 */
export class Recorder {
  readonly #options: RecorderOptions

  constructor(options: RecorderOptions) {
    this.#options = options
  }

  /** Resolves when every message is settled. When the signal is aborted, what is not committed is handed back. */
  async record(messages: readonly FactMessage[], signal: AbortSignal): Promise<void> {
    const parsed: Parsed[] = []
    for (const message of messages) {
      const fact = parseFact(message.subject, message.data, this.#options.now())
      if (fact.kind === 'poison') this.#setApart(message, fact.reason)
      else parsed.push({ message, fact })
    }
    await this.#insert(parsed, signal)
  }

  async #insert(batch: readonly Parsed[], signal: AbortSignal): Promise<void> {
    if (batch.length === 0) return
    const outcome = await this.#try(
      batch.map(({ fact }) => fact),
      signal,
    )
    if (outcome === 'committed') {
      for (const { message } of batch) message.ack()
      return
    }
    if (outcome === 'aborted') {
      for (const { message } of batch) message.nak()
      return
    }
    const [first] = batch
    if (batch.length === 1 && first) return this.#setApart(first.message, outcome.reason)
    const middle = batch.length >> 1
    await this.#insert(batch.slice(0, middle), signal)
    await this.#insert(batch.slice(middle), signal)
  }

  async #try(facts: readonly Fact[], signal: AbortSignal): Promise<'committed' | 'aborted' | { reason: string }> {
    const { store, log, wait, random } = this.#options
    for (let attempt = 0; !signal.aborted; attempt++) {
      try {
        await store.insert(facts)
        if (attempt > 0) log('info', 'the database takes facts again', { attempts: attempt })
        return 'committed'
      } catch (error) {
        if (store.refuses(error)) return { reason: `the database refuses it: ${codeOf(error)}` }
        const retryMs = Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** attempt) * (0.5 + random() / 2)
        log('warn', 'the database takes no facts', { error: String(error), code: codeOf(error), attempt, retryMs })
        await wait(retryMs, signal)
      }
    }
    return 'aborted'
  }

  #setApart(message: FactMessage, reason: string): void {
    const { seq, subject } = message
    this.#options.log('error', 'a fact cannot be recorded and is set apart', { seq, subject, reason })
    message.term(reason)
  }
}

/** The message of a refusal may quote what was refused; its code does not. */
const codeOf = (error: unknown): unknown =>
  error instanceof Error && 'code' in error ? error.code : error instanceof Error ? error.name : typeof error

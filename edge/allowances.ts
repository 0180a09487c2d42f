import { inTime } from '@oriel/core-actors/in-time'
import type { Share } from '@oriel/core-actors/limits'
import type { UserPort } from '@oriel/core-actors/user-port'
import type { Problem } from '@oriel/protocol/problem'
import { ProblemError } from '@oriel/protocol/problem'
import type { Caller } from './caller.ts'

/** A limiter that is slower than this counts as away: predictions are let through. */
const ASK_MS = 250
/** How long a lease is good: what others could spend meanwhile lies idle here. */
const LEASE_MS = 2_000
/** A refusal answers for those that follow, so that a flood does not reach the actor. */
const REFUSED_MS = 500
const FIRST_REQUESTS = 8
const MAX_REQUESTS = 1_024
/** Of one request, as long as none was larger. */
const USUAL_BYTES = 1_024
const MAX_CALLERS = 10_000

/** `away`: nobody could be asked. */
type Asked = 'away' | 'asked'

interface Account {
  /** What may be spent without asking, until `until`. */
  requests: number
  bytes: number
  leasedAt: number
  /** How much was asked for last. */
  size: number
  asking: Promise<Asked> | undefined
  /** One of so many bytes: a smaller one may still pass. */
  refused: { readonly problem: Problem; readonly bytes: number; readonly until: number } | undefined
}

/**
 * What each caller may still send for predictions. One by one they would wait for the actor of the user longer than
 * for the prediction; so an isolate leases some of the rate and the bytes, more the faster they are used up, and asks for
 * more before the last is gone. What was not used in time is given back with the next lease.
 */
export class Allowances {
  readonly #user: (name: string) => Pick<UserPort, 'lease'>
  readonly #now: () => number
  readonly #accounts = new Map<string, Account>()

  constructor(user: (name: string) => Pick<UserPort, 'lease'>, now: () => number = Date.now) {
    this.#user = user
    this.#now = now
  }

  /**
   * Takes one prediction of so many bytes.
   * @param waitUntil sees to what goes on behind the caller's back
   * @throws ProblemError limit-exceeded
   */
  async spend(caller: Caller, bytes: number, waitUntil: (promise: Promise<unknown>) => void): Promise<void> {
    const account = this.#account(caller)
    while (!this.#take(account, bytes)) {
      const { refused } = account
      if (refused && bytes >= refused.bytes && this.#now() < refused.until) throw new ProblemError(refused.problem)
      if ((await this.#ask(caller, account, bytes)) === 'away') return
    }
    if (!account.asking && account.requests < account.size / 4) waitUntil(this.#ask(caller, account, bytes))
  }

  #take(account: Account, bytes: number): boolean {
    if (account.requests < 1 || account.bytes < bytes || this.#now() >= account.leasedAt + LEASE_MS) return false
    account.requests -= 1
    account.bytes -= bytes
    return true
  }

  /** One asks for all, and all hear what came of it: a limiter that is away holds up nobody for longer than it held up one. */
  #ask(caller: Caller, account: Account, bytes: number): Promise<Asked> {
    account.asking ??= this.#lease(caller, account, bytes).finally(() => {
      account.asking = undefined
    })
    return account.asking
  }

  async #lease({ user, key }: Caller, account: Account, bytes: number): Promise<Asked> {
    const now = this.#now()
    const { leasedAt, size } = account
    const old = now >= leasedAt + LEASE_MS
    const unused = old && account.requests + account.bytes > 0 && { requests: account.requests, bytes: account.bytes }
    if (old) account.requests = account.bytes = 0
    // Used up before its time: twice as much. Else as much as was used, or what nobody has asked for before.
    const used = unused ? size - unused.requests : size
    account.size = Math.min(MAX_REQUESTS, Math.max(1, size === 0 ? FIRST_REQUESTS : old ? used : size * 2))
    const order = {
      requests: account.size,
      bytes: account.size * Math.max(bytes, USUAL_BYTES),
      atLeastBytes: bytes,
      key,
      ...(unused && { unused: { ...unused, leasedAt } }),
    }
    const answer = await inTime(() => this.#user(user).lease(order), ASK_MS, 'the limits of a user cannot be asked for')
    if (!answer) return 'away'
    account.refused = answer.ok
      ? undefined
      : { problem: answer.problem, bytes, until: this.#now() + refusedMs(answer.problem) }
    if (answer.ok) this.#add(account, answer)
    return 'asked'
  }

  #add(account: Account, { requests, bytes }: Share): void {
    account.requests += requests
    account.bytes += bytes
    account.leasedAt = this.#now()
  }

  #account({ user, key }: Caller): Account {
    const name = key ? `${key.id} ${user}` : user
    const known = this.#accounts.get(name)
    if (known) return known
    if (this.#accounts.size >= MAX_CALLERS) this.#accounts.clear()
    const account: Account = {
      requests: 0,
      bytes: 0,
      leasedAt: 0,
      size: 0,
      asking: undefined,
      refused: undefined,
    }
    this.#accounts.set(name, account)
    return account
  }
}

const refusedMs = ({ retryAfterMs = REFUSED_MS }: Problem) => Math.min(REFUSED_MS, retryAfterMs)

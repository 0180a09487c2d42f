import { stdout } from 'node:process'
import type { ApiEvent } from './api-client.ts'
import { ApiClient } from './api-client.ts'
import { StackError } from './stack-error.ts'

const BEGINNING = 'Once upon a time'
const ANSWER_MS = 120_000
const HISTORY_MS = 20_000

const isPlain = !stdout.isTTY || Boolean(process.env.NO_COLOR)
const dim = (text: string) => (isPlain ? text : `\x1b[2m${text}\x1b[0m`)
const bold = (text: string) => (isPlain ? text : `\x1b[1m${text}\x1b[0m`)

/**
 * One request of one user: submitted, streamed to the terminal as it is answered, found again in the history.
 * @param signal once it is aborted nothing more is shown
 * @throws StackError when any of it is not as it should be, and the signal's reason
 */
export async function showOneRequest(
  url: string,
  token: string,
  user: string,
  signal: AbortSignal = new AbortController().signal,
): Promise<void> {
  const client = new ApiClient(url, token)
  const request = { input: BEGINNING, parameters: { maxTokens: 80, tokensPerSecond: 15 } }
  console.log(`\n${bold(`${user} asks the model storyteller to go on with “${BEGINNING}”`)}`)
  const { requestID, eventsURL } = await client.submit('storyteller', request)
  const events = client.events(eventsURL, AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]))
  const text = await stream(events, signal)

  console.log(`\n${bold('The same request from the history (GET /requests)')}`)
  const kept = await find(client, requestID, signal)
  console.log(dim(`  ${kept.requestID}  ${kept.modelID}  ${kept.status}  ${kept.sentAt}`))
  const answer = kept.responses.map(({ response }) => response).join('')
  console.log(BEGINNING + answer)
  if (answer !== text) throw new StackError('The history has another answer than the one that was streamed.')
}

async function stream(events: AsyncIterable<ApiEvent>, signal: AbortSignal): Promise<string> {
  let text = ''
  let end = 'nothing'
  for await (const { type, data } of events) {
    signal.throwIfAborted()
    if (type === 'responses') {
      if (text === '') stdout.write(BEGINNING)
      text += String(data.response)
      stdout.write(String(data.response))
      continue
    }
    if (type === 'progress') continue
    const { sentAt: _, ...rest } = data
    const told = Object.entries(rest).map(([name, value]) => `${name} ${JSON.stringify(value)}`)
    console.log(dim(`${text === '' ? '' : '\n'}  ${type}  ${told.join(', ')}`.trimEnd()))
    end = type
  }
  signal.throwIfAborted()
  if (end !== 'completed') throw new StackError(`The request ended with: ${end}.`)
  return text
}

/** The record is written a moment after the answer. */
async function find(client: ApiClient, requestID: string, signal: AbortSignal) {
  const until = performance.now() + HISTORY_MS
  while (performance.now() < until) {
    const { requests } = await client.history(10)
    signal.throwIfAborted()
    const found = requests.find((request) => request.requestID === requestID)
    if (found?.status === 'completed') return found
    await Bun.sleep(100)
  }
  throw new StackError(`The request is not in the history after ${HISTORY_MS / 1000} s.`)
}

/** Lines to paste into a terminal. The token is good for a day. */
export const nextSteps = (url: string, token: string, before = '') => `${bold('The next request is yours')}
${before}
TOKEN=${token}
curl ${url}/requests -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' \\
  -d '{"modelID":"storyteller","request":{"requestID":"fox","input":"The little fox","parameters":{"tokensPerSecond":15}}}'
curl -N ${url}/requests/fox/events -H "Authorization: Bearer $TOKEN"
curl ${url}/requests -H "Authorization: Bearer $TOKEN"
`

/** Runs `task` with at most `width` under way until `forMs` have passed; what has begun is finished. */
export async function forAWhile(
  width: number,
  forMs: number,
  task: () => Promise<void>,
): Promise<{ count: number; seconds: number }> {
  const startedAt = performance.now()
  let count = 0
  const lane = async () => {
    while (performance.now() - startedAt < forMs) {
      await task()
      count += 1
    }
  }
  await Promise.all(Array.from({ length: width }, lane))
  return { count, seconds: (performance.now() - startedAt) / 1_000 }
}

export interface Target {
  readonly url: string
  readonly token: string
}

const headers = ({ token }: Target) => ({ Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' })

export async function submit(target: Target, parameters: object): Promise<string> {
  const body = JSON.stringify({ modelID: 'ticker', request: { input: {}, parameters } })
  const response = await fetch(`${target.url}/requests`, { method: 'POST', headers: headers(target), body })
  if (response.status !== 202) throw new Error(`a submit was answered ${response.status}: ${await response.text()}`)
  const { requestID } = (await response.json()) as { requestID: string }
  return requestID
}

/** Reads a request's events to the end. @param onEvents sees the raw events as they come @returns how many events there were */
export async function read(
  target: Target,
  requestID: string,
  onEvents: (blocks: string[]) => void = () => {},
): Promise<number> {
  const response = await fetch(`${target.url}/requests/${requestID}/events`, { headers: headers(target) })
  if (response.status !== 200) throw new Error(`a stream was answered ${response.status}: ${await response.text()}`)
  const decoder = new TextDecoder()
  let events = 0
  let rest = ''
  let last = ''
  for await (const chunk of response.body ?? []) {
    const blocks = (rest + decoder.decode(chunk, { stream: true })).split('\n\n')
    rest = blocks.pop() ?? ''
    const received = blocks.filter((block) => block.startsWith('id: '))
    onEvents(received)
    events += received.length
    last = received.at(-1) ?? last
  }
  if (!last.includes('event: completed')) throw new Error(`the stream of ${requestID} ended with ${last}`)
  return events
}

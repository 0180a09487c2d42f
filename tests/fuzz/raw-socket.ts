/** Bytes to a server as they are, and what it says until it closes or has nothing more to say for `quietMs`. */
export async function exchange(url: string, parts: readonly Uint8Array[], hangUp: boolean): Promise<string> {
  const { hostname, port } = new URL(url)
  const { promise, resolve } = Promise.withResolvers<void>()
  let said = ''
  let timer: ReturnType<typeof setTimeout> | undefined
  const soon = (ms: number) => {
    clearTimeout(timer)
    timer = setTimeout(resolve, ms)
  }
  const socket = await Bun.connect({
    hostname,
    port: Number(port),
    socket: {
      data: (_, chunk) => {
        said += chunk.toString('latin1')
        soon(QUIET_MS)
      },
      close: () => resolve(),
      error: () => resolve(),
    },
  })
  soon(PATIENCE_MS)
  for (const part of parts) socket.write(part)
  socket.flush()
  // What goes away in the middle of a word gets no answer, and wants none.
  if (hangUp) socket.terminate()
  else await promise
  clearTimeout(timer)
  socket.terminate()
  return said
}

/** A server that waits for more of a request says nothing. */
const PATIENCE_MS = 150
const QUIET_MS = 20

/** The status of each response on a connection, in order. */
export const statusesOf = (said: string): number[] =>
  [...said.matchAll(/HTTP\/1\.[01] (\d{3})/g)].map(([, status]) => Number(status))

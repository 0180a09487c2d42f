/** How long a peer may take to answer a close. One whose connection is half open never does. */
const GOODBYE_MS = 1_000

/**
 * A WebSocket that is closed soon after it was told to close, whatever its peer does. Without this a client that has
 * found its connection stale waits for the close of a broker that does not hear it, and never connects again.
 */
export function promptSocket(url: string): WebSocket {
  const socket = new WebSocket(url)
  const close = socket.close.bind(socket)
  socket.close = (code?: number, reason?: string) => {
    close(code, reason)
    setTimeout(() => socket.dispatchEvent(new CloseEvent('close', { wasClean: false })), GOODBYE_MS)
  }
  return socket
}

/** A time as the HTTP API tells it. @param ms since the epoch */
export const isoTime = (ms: number): string => new Date(ms).toISOString()

/** Now in ms since the epoch, with the fractions that `Date.now()` lacks: comparable between processes of one machine. */
export const epochMs = (): number => performance.timeOrigin + performance.now()

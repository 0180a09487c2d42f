export interface Version {
  readonly major: number
  readonly minor: number
  readonly patch: number
}

/** The first `1.2.3` in what a program says of itself; undefined when there is none. */
export function parseVersion(text: string): Version | undefined {
  const match = /(?:^|[\sv])(\d+)\.(\d+)(?:\.(\d+))?/.exec(text)
  if (!match) return undefined
  return { major: Number(match[1]), minor: Number(match[2]), patch: Number(match[3] ?? 0) }
}

export function isAtLeast(version: Version, least: Version): boolean {
  if (version.major !== least.major) return version.major > least.major
  if (version.minor !== least.minor) return version.minor > least.minor
  return version.patch >= least.patch
}

export const showVersion = ({ major, minor, patch }: Version) => `${major}.${minor}.${patch}`

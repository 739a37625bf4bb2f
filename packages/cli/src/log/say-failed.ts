import type { Say } from './log-codes.ts'

/** Tells of a fault of ours in a request, with its stack. @param where The route, or what else was at work. */
export function sayFailed(say: Say, error: unknown, where: string): void {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
  say('REQUEST_FAILED', `${where}: ${text}`, { where })
}

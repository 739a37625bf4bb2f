import { setTimeout as wait } from 'node:timers/promises'

/** Returns when this machine's clock is past a moment (epoch milliseconds); at once where it is. A timer may be early; the clock decides. */
export async function awaitMoment(momentMs: number): Promise<void> {
  for (let leftMs = momentMs - Date.now(); leftMs >= 0; leftMs = momentMs - Date.now()) await wait(leftMs + 1)
}

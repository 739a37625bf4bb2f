import { createHash } from 'node:crypto'
import { realpathSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CaseCommand } from '@millwright/core'
import type { CaseQuery, EventTarget, SharedEvent } from '@millwright/gateways'

/**
 * How another command reaches a plant that runs: a socket in the data folder, so that whoever may write there may
 * command, and nobody over the network. One request per connection, a line of JSON; the plant answers with lines of JSON:
 * any number of `progress`, then one `result` or `error`.
 */
export type ControlRequest =
  | { readonly kind: 'ingest'; readonly files: readonly string[] }
  | { readonly kind: 'feedback'; readonly files: readonly string[] }
  | { readonly kind: 'event'; readonly target: EventTarget; readonly event: SharedEvent }
  | { readonly kind: 'publish'; readonly file: string; readonly activeFromMs: number | null }
  | { readonly kind: 'rollback' }
  | { readonly kind: 'list-models' }
  | { readonly kind: 'list-cases'; readonly query: CaseQuery }
  | { readonly kind: 'case-command'; readonly command: CaseCommand }
  | { readonly kind: 'deliveries' }
  /** `null`: of all channels. */
  | { readonly kind: 'retry-deliveries'; readonly channel: string | null }

export type ControlAnswer =
  | { readonly kind: 'progress'; readonly done: number; readonly readings: number }
  | { readonly kind: 'result'; readonly result: unknown }
  | { readonly kind: 'error'; readonly code: string; readonly message: string }

/** A request is a few paths. */
export const requestCharactersMax = 1_000_000

/** Longest path of a Unix socket on Linux, less its final zero. Source: unix(7), `sun_path`; macOS has 104. */
const socketPathBytesMax = 103

/** Where the socket of a data folder is: in it, or where its path is too long for the system, under a name made from it. */
export function controlPath(dataDirectory: string): string {
  const real = realpathSync(dataDirectory)
  const name = createHash('sha256').update(real).digest('hex').slice(0, 24)
  if (process.platform === 'win32') return `\\\\.\\pipe\\millwright-${name}`
  const inside = join(real, 'control.sock')
  return Buffer.byteLength(inside) <= socketPathBytesMax ? inside : join(tmpdir(), `millwright-${name}.sock`)
}

import { once } from 'node:events'
import { closeSync, fsyncSync, openSync, renameSync, unlinkSync, writeSync } from 'node:fs'

/** Where results go: lines of text, one a row. */
export interface RowOutput {
  /** Takes whole lines; returns when more may come. */
  write(text: string): Promise<void>
  /** All went well: what was written is complete and durable. */
  finish(): void
  /** Something went wrong: leaves no file that looks complete. */
  abandon(): void
}

/** Writes to stdout as it comes. Whoever reads may stop reading (`| head`): that ends the process without an error. */
export function stdoutOutput(): RowOutput {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0)
    throw error
  })
  return {
    async write(text) {
      if (!process.stdout.write(text)) await once(process.stdout, 'drain')
    },
    finish() {
      // Nothing is held back.
    },
    abandon() {
      // What was printed was right as far as it went.
    },
  }
}

/**
 * Writes to a file beside `path` that takes its place when all is written, so that a result that is there is whole.
 *
 * @throws The system's error when it cannot be created.
 */
export function fileOutput(path: string): RowOutput {
  const partial = `${path}.partial-${process.pid}`
  const descriptor = openSync(partial, 'w')
  let open = true
  const close = (): void => {
    if (open) closeSync(descriptor)
    open = false
  }
  return {
    async write(text) {
      const bytes = Buffer.from(text)
      // A full disk takes fewer bytes than asked before it refuses.
      for (let written = 0; written < bytes.length; ) written += writeSync(descriptor, bytes, written)
    },
    finish() {
      fsyncSync(descriptor)
      close()
      renameSync(partial, path)
    },
    abandon() {
      close()
      unlinkSync(partial)
    },
  }
}

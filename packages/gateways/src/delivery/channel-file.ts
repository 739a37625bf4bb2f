import { mkdir, open, readFile, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import { crc32 } from 'node:zlib'
import { ChannelFileDamagedError } from './errors.ts'

/** A notification that its peer refused for good. The topic has it; this says where. */
export interface ParkedNotification {
  readonly id: string
  readonly partition: number
  readonly offset: number
  /** When it was refused, epoch milliseconds. */
  readonly refusedAt: number
  /** For a person. */
  readonly reason: string
}

/** What is kept of a channel between two runs; docs/formats/deliveries.md. */
export interface ChannelState {
  /** Offset after the last record of each partition that is done with. */
  readonly positions: readonly number[]
  /** Ids of what was about to be sent as one message, so that it is the same message after a restart. */
  readonly planned: readonly string[]
  readonly parked: readonly ParkedNotification[]
  /** What the port keeps; `null` for nothing. */
  readonly port: unknown
}

/** Where a channel's state is kept. */
export interface ChannelStore {
  /** `null` where there is none yet. @throws {ChannelFileDamagedError} */
  read(): Promise<ChannelState | null>
  /** Resolves when it is on stable storage. @throws The system's error; what was there stays. */
  write(state: ChannelState): Promise<void>
}

const magic = 'millwright-deliveries'
const version = 1

/**
 * The file of one channel.
 *
 * F1. It is whole, or not there: written under another name, synced and renamed, its last line the checksum of those before.
 * F2. Position, what is parked and what the port keeps are of one moment.
 */
export class ChannelFile implements ChannelStore {
  readonly #path: string
  /** One write at a time: two would share the temporary file. */
  #writing: Promise<void> = Promise.resolve()

  constructor(path: string) {
    this.#path = path
  }

  async read(): Promise<ChannelState | null> {
    let text: string
    try {
      text = await readFile(this.#path, 'utf8')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
      throw error
    }
    const state = parse(text)
    if (state !== null) return state
    throw new ChannelFileDamagedError(
      `${this.#path} is damaged, or of a newer release: where the channel stood is not known. Removed, the channel begins anew where its \`since\` says`,
      { details: { path: this.#path } },
    )
  }

  write(state: ChannelState): Promise<void> {
    const written = this.#writing.then(() => this.#replace(state))
    this.#writing = written.catch(() => undefined)
    return written
  }

  async #replace({ positions, planned, parked, port }: ChannelState): Promise<void> {
    const body = `${JSON.stringify([magic, version])}\n${JSON.stringify({ positions, planned, parked, port })}\n`
    await mkdir(dirname(this.#path), { recursive: true })
    const temporary = `${this.#path}.tmp`
    const file = await open(temporary, 'w', 0o600)
    try {
      await file.writeFile(`${body}${JSON.stringify(['end', crc32(body)])}\n`)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, this.#path)
    const folder = await open(dirname(this.#path), 'r')
    try {
      await folder.sync()
    } finally {
      await folder.close()
    }
  }
}

/** `null` for what is not a whole file of this version. */
function parse(text: string): ChannelState | null {
  const [head = '', body = '', end = ''] = text.split('\n')
  try {
    const [tag, checksum] = JSON.parse(end) as unknown[]
    if (tag !== 'end' || checksum !== crc32(`${head}\n${body}\n`)) return null
    const [name, found] = JSON.parse(head) as unknown[]
    return name === magic && found === version ? (JSON.parse(body) as ChannelState) : null
  } catch {
    return null
  }
}

import { pause } from './proof.ts'
import { isAcknowledged, type PostAnswer, postReadings } from './proof-plant.ts'
import { readingLines, ticksPerRequestMax } from './readings.ts'

/** One request that was acknowledged, after how many attempts. */
export interface AcknowledgedRequest {
  readonly lines: readonly string[]
  /** 1: the plant said yes at once. More: an earlier attempt was refused, or had no answer. */
  readonly attempts: number
}

/**
 * Clients as gateways of a line are: each sends the readings of its own devices in order, and sends a request again, as it
 * is, until it is acknowledged, whether the plant refused it, broke off, or is gone for a while.
 */
export interface ResendingClients {
  readonly acknowledged: readonly AcknowledgedRequest[]
  /** Answers that were no acknowledgement, by status; 0 is no answer. */
  readonly refusals: ReadonlyMap<number, number>
  /** Told of each answer that was no acknowledgement. */
  onRefusal: (answer: PostAnswer) => void
  /** Where the plant is now; `null` while it is away. */
  url: string | null
  /** Resolves when what was begun is acknowledged; nothing new is begun. */
  finish(): Promise<void>
}

export function startResendingClients(options: {
  readonly clientCount: number
  readonly devicesPerClient: number
  readonly startMs: number
  readonly padding?: string
}): ResendingClients {
  const { clientCount, devicesPerClient, startMs, padding = '' } = options
  const acknowledged: AcknowledgedRequest[] = []
  const refusals = new Map<number, number>()
  let finishing = false

  const clients: ResendingClients = {
    acknowledged,
    refusals,
    url: null,
    onRefusal: () => undefined,
    async finish() {
      finishing = true
      await Promise.all(runs)
    },
  }

  async function run(client: number): Promise<void> {
    for (let tick = 0; !finishing; tick += ticksPerRequestMax) {
      const lines = readingLines({
        firstDevice: client * devicesPerClient,
        deviceCount: devicesPerClient,
        firstTick: tick,
        tickCount: ticksPerRequestMax,
        startMs,
        padding,
      })
      acknowledged.push({ lines, attempts: await sendUntilAcknowledged(lines) })
    }
  }

  async function sendUntilAcknowledged(lines: readonly string[]): Promise<number> {
    const text = `${lines.join('\n')}\n`
    for (let attempts = 0; ; ) {
      const { url } = clients
      if (url !== null) {
        attempts += 1
        const answer = await postReadings(url, text)
        if (isAcknowledged(answer, lines.length)) return attempts
        refusals.set(answer.status, (refusals.get(answer.status) ?? 0) + 1)
        clients.onRefusal(answer)
      }
      await pause(20)
    }
  }

  const runs = Array.from({ length: clientCount }, (_, client) => run(client))
  // Heard of in `finish`; until then it must not end the process.
  for (const promise of runs) promise.catch(() => undefined)
  return clients
}

import { Agent, get, request } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'

/** What became of one request of readings. */
export interface PostAnswer {
  readonly status: number
  readonly accepted: number
  readonly rejected: number
}

/** Posts readings over kept connections. Plain `node:http`: the client shares the machine with the plant. */
export class ReadingsClient {
  readonly #agent: Agent
  readonly #url: URL

  constructor(plantUrl: string, connections: number) {
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections })
    this.#url = new URL('/api/readings', plantUrl)
  }

  /** @throws What the network throws. */
  post(body: Uint8Array): Promise<PostAnswer> {
    return new Promise((resolve, reject) => {
      const headers = { 'content-type': 'application/x-ndjson', 'content-length': body.length }
      const sent = request(this.#url, { method: 'POST', agent: this.#agent, headers }, (response) => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', (part: string) => {
          text += part
        })
        response.on('end', () => {
          const status = response.statusCode ?? 0
          if (status !== 202) {
            resolve({ status, accepted: 0, rejected: 0 })
            return
          }
          const said = JSON.parse(text) as { accepted: number; rejected: unknown[]; rejectedCount?: number }
          resolve({ status, accepted: said.accepted, rejected: said.rejectedCount ?? said.rejected.length })
        })
        response.on('error', reject)
      })
      sent.on('error', reject)
      sent.end(body)
    })
  }

  /** Posts until the plant takes it: again a moment later where it has to catch up. @throws On any other refusal. */
  async postUntilTaken(body: Uint8Array): Promise<PostAnswer> {
    for (;;) {
      const answer = await this.post(body)
      if (answer.status === 202) return answer
      if (answer.status !== 429) throw new Error(`the plant answered ${answer.status}`)
      await wait(50)
    }
  }

  close(): void {
    this.#agent.destroy()
  }
}

/** Posts all bodies with so many requests in flight. @returns Lines accepted and rejected. */
export async function postAll(
  client: ReadingsClient,
  bodies: Iterable<Uint8Array>,
  inFlight: number,
): Promise<{ accepted: number; rejected: number }> {
  const iterator = bodies[Symbol.iterator]()
  const total = { accepted: 0, rejected: 0 }
  const lane = async (): Promise<void> => {
    for (let next = iterator.next(); next.done !== true; next = iterator.next()) {
      const { accepted, rejected } = await client.postUntilTaken(next.value)
      total.accepted += accepted
      total.rejected += rejected
    }
  }
  await Promise.all(Array.from({ length: inFlight }, lane))
  return total
}

/**
 * Subscribes to the alert stream. Calls `onAlert` with the JSON text of each record and the moment its last byte came,
 * milliseconds of `performance.now()`.
 *
 * @returns What ends the subscription, when the plant has answered.
 */
export function followAlerts(plantUrl: string, onAlert: (json: string, atMs: number) => void): Promise<() => void> {
  return new Promise((resolve, reject) => {
    const asked = get(new URL('/api/events', plantUrl), (response) => {
      if (response.statusCode !== 200) {
        reject(new Error(`/api/events answered ${response.statusCode}`))
        return
      }
      let rest = ''
      response.setEncoding('utf8')
      response.on('data', (part: string) => {
        const atMs = performance.now()
        const text = rest + part
        let from = 0
        for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n', from)) {
          const data = text.indexOf('data: ', from)
          if (data >= from && data < end) onAlert(text.slice(data + 6, end), atMs)
          from = end + 2
        }
        rest = text.slice(from)
      })
      response.on('error', () => undefined)
      resolve(() => asked.destroy())
    })
    asked.on('error', reject)
  })
}

import { randomFillSync } from 'node:crypto'
import { runInNewContext } from 'node:vm'
import type { AlertSignal } from '@millwright/core'
import type { DeliveryStatus } from '../../delivery/index.ts'
import type { PlantStatus } from '../options.ts'
import { statusPage } from '../status-page.ts'

/**
 * The status page's own script against a document of a few classes, which holds what the script puts into it. What a browser would draw of it is
 * not tested.
 */

/** What the script needs of an element. */
export class FakeElement {
  readonly dataset: Record<string, string> = {}
  readonly style: Record<string, string> = {}
  readonly attributes: Record<string, string> = {}
  readonly #listeners = new Map<string, (event: object) => unknown>()
  readonly #isInPage: boolean
  #parent: FakeElement | null = null
  children: (FakeElement | string)[] = []
  className = ''
  hidden = false
  disabled = false
  open = false
  scope = ''
  type = ''
  value = ''
  max = ''

  /** @param isInPage Whether it stands in the page itself. */
  constructor(isInPage = false) {
    this.#isInPage = isInPage
  }

  get isConnected(): boolean {
    return this.#isInPage || (this.#parent?.isConnected ?? false)
  }
  set textContent(text: string) {
    this.children = [String(text)]
  }
  get textContent(): string {
    return this.text
  }
  get text(): string {
    return this.children.map((child) => (typeof child === 'string' ? child : child.text)).join(' ')
  }
  /** All elements in it, itself the first. */
  get all(): FakeElement[] {
    return [this, ...this.children.flatMap((child) => (typeof child === 'string' ? [] : child.all))]
  }
  append(...more: (FakeElement | string)[]): void {
    this.#adopt(more)
    this.children.push(...more)
  }
  replaceChildren(...all: (FakeElement | string)[]): void {
    for (const child of this.children) if (typeof child !== 'string') child.#parent = null
    this.#adopt(all)
    this.children = all
  }
  querySelectorAll(): FakeElement[] {
    return []
  }
  setAttribute(name: string, value: string): void {
    this.attributes[name] = value
  }
  addEventListener(name: string, listener: (event: object) => unknown): void {
    this.#listeners.set(name, listener)
  }
  /** Resolves when what listens has done its work. */
  async happens(name: string): Promise<void> {
    await this.#listeners.get(name)?.({ preventDefault: () => undefined })
  }
  contains(): boolean {
    return false
  }
  focus(): void {
    // Nobody sees where it is.
  }
  reset(): void {
    // What was typed is not looked at again.
  }
  remove(): void {
    if (this.#parent !== null) this.#parent.children = this.#parent.children.filter((child) => child !== this)
    this.#parent = null
  }
  #adopt(children: readonly (FakeElement | string)[]): void {
    for (const child of children) if (typeof child !== 'string') child.#parent = this
  }
}

/** What the gateway answers: a status, and a document. */
export interface FakeAnswer {
  readonly status: number
  readonly document: unknown
}

/** A request that the page makes beside its polls of `api/status` and `api/deliveries`. */
export interface FakeRequest {
  readonly path: string
  /** Of a POST; `null` where there is none. */
  readonly body: unknown
}

const script = /<script>([\s\S]*)<\/script>/.exec(statusPage().html)?.[1] ?? ''
const idsInPage = new Set([...statusPage().html.matchAll(/\sid="(\w+)"/g)].map((match) => match[1]))

/**
 * Runs the script with answers to its polls of the status, one after the other, and is there when the last is shown.
 *
 * @param options.answer Of all other requests; where absent, 404.
 * @param options.nowMs The browser's clock.
 */
export async function runPage(
  answers: readonly (PlantStatus | Error)[],
  options: {
    readonly channels?: readonly DeliveryStatus[]
    readonly answer?: (request: FakeRequest) => FakeAnswer | Promise<FakeAnswer>
    readonly nowMs?: () => number
  } = {},
) {
  const { channels = [], answer = () => ({ status: 404, document: {} }), nowMs = () => Date.now() } = options
  const elements = new Map<string, FakeElement>()
  const title: { title: string } = { title: '' }
  const listeners = new Map<string, (event: { data: string }) => void>()
  const rest = [...answers]
  let pauses: (() => void)[] = []
  let pollAgain: () => void = () => undefined
  let settled: () => void = () => undefined
  const context = {
    Intl,
    Map,
    Date: class extends Date {
      static override now(): number {
        return nowMs()
      }
    },
    URLSearchParams,
    crypto: { getRandomValues: (bytes: Uint8Array) => randomFillSync(bytes) },
    AbortSignal: { timeout: () => undefined },
    document: Object.assign(title, {
      hidden: false,
      getElementById(id: string) {
        if (!idsInPage.has(id)) throw new Error(`the page has no element "${id}"`)
        const element = elements.get(id) ?? new FakeElement(true)
        elements.set(id, element)
        return element
      },
      createElement: () => new FakeElement(),
      createElementNS: () => new FakeElement(),
      addEventListener: () => undefined,
    }),
    fetch: async (path: string, { body }: { readonly body?: string }) => {
      if (path === 'api/deliveries') return { ok: true, json: async () => ({ channels }) }
      if (path === 'api/status') {
        const next = rest.shift()
        if (next instanceof Error || next === undefined) throw next ?? new Error('no more')
        return { ok: true, json: async () => next }
      }
      const { status, document } = await answer({ path, body: body === undefined ? null : JSON.parse(body) })
      return { ok: status < 400, status, json: async () => document }
    },
    setTimeout: (then: () => void) => {
      if (then.name !== 'poll') return pauses.push(then)
      pollAgain = then
      settled()
      return 1
    },
    clearTimeout: () => undefined,
    EventSource: class {
      addEventListener(name: string, listener: (event: { data: string }) => void): void {
        listeners.set(name, listener)
      }
    },
  }
  const polled = (again: () => void): Promise<void> =>
    new Promise((resolve) => {
      settled = resolve
      again()
    })
  await polled(() => runInNewContext(script, context))
  for (let i = 1; i < answers.length; i++) await polled(pollAgain)
  return {
    text: (id: string): string => elements.get(id)?.text ?? '',
    elements,
    title,
    /** The stream brings an alert. */
    tell: (alert: AlertSignal) => listeners.get('alert')?.({ data: JSON.stringify(alert) }),
    /** The page polls once more. */
    poll: (status: PlantStatus): Promise<void> => {
      rest.push(status)
      return polled(pollAgain)
    },
    /** Ends what the page waits for beside its polls, and resolves when it waits again, or has nothing under way any more. */
    pausesEnd: async (): Promise<void> => {
      const ended = pauses
      pauses = []
      for (const end of ended) end()
      await new Promise((resolve) => setImmediate(resolve))
    },
  }
}

/** An alert with two reasons. */
export const alert = (deviceId: string, windowStart: number): AlertSignal => ({
  deviceId,
  probability: 0.93,
  status: 'High risk of failure',
  windowStart,
  windowEnd: windowStart + 300_000,
  revision: 0,
  model: { name: 'wear', version: '3' },
  features: { tempStd: 1 },
  why: [
    { feature: 'tempStd', value: 1.25, contribution: 2.5 },
    { feature: 'pressure', value: null, contribution: -0.125 },
  ],
})

/** Of a plant that runs well. */
export const status: PlantStatus = {
  plant: 'pumps',
  version: '0.1.0',
  startedAt: 1_700_000_000_000,
  now: 1_700_000_010_000,
  counts: {
    readingsIn: 1000,
    readingsAccepted: 900,
    readingsDropped: { 'temperature-range': 60 },
    deadLetters: { 'not-json': 40, future: 0 },
    redelivered: 3,
    late: 7,
    windows: 50,
    windowsUnscored: 5,
    alertsHigh: 2,
  },
  devices: 12,
  model: { name: 'wear', version: '3', activeFrom: 1_700_000_000_000 },
  refusedModel: null,
  lag: { records: 4, ageMs: 90_000 },
  disk: { usedBytes: 5e9, budgetBytes: 20e9, freeBytes: 500e6 },
  latestAlerts: [alert('press-07', 1_700_000_000_000)],
}

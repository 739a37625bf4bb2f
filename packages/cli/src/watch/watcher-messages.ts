import type { WatchReport } from '@millwright/monitoring'
import type { WatchedPlant } from './topics-watch.ts'

/** What the main thread tells the watcher's thread of its plant. */
export interface WatchWorkerData {
  /** What is to be known of the plan: the thread need not load the project. */
  readonly plant: WatchedPlant
  readonly dataDirectory: string
}

export type WatcherOrder = { readonly kind: 'stop' }

export type WatcherMessage =
  | {
      readonly kind: 'progress'
      /** Everything appended before was taken, epoch milliseconds; −Infinity before the first record. */
      readonly readUpToMs: number
      /** Of the thread since its start. */
      readonly cpuSeconds: number
    }
  | { readonly kind: 'report'; readonly report: WatchReport }
  | { readonly kind: 'save-failed'; readonly message: string }

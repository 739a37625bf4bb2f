import type { WatchReport } from '@millwright/monitoring'

/** What the main thread tells the watcher's thread of its plant. */
export interface WatchWorkerData {
  readonly configPath: string
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

import type { KafkaConnection } from '@millwright/gateways/kafka'
import type { WatchReport } from '@millwright/monitoring'
import type { WatchedPlant } from './topics-watch.ts'

/** What the main thread tells the watcher's thread of its plant. */
export interface WatchWorkerData {
  /** What is to be known of the plan: the thread need not load the project. */
  readonly plant: WatchedPlant
  /** The topics of a data folder, where the state is saved, too; or those of Kafka, and where the state is saved. */
  readonly of:
    | { readonly kind: 'folder'; readonly dataDirectory: string }
    | { readonly kind: 'kafka'; readonly connection: KafkaConnection; readonly directory: string }
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
  /** The topics cannot be read at the moment, or again (`null`). */
  | { readonly kind: 'away'; readonly message: string | null }

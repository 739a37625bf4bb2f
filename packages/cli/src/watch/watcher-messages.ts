import type { CaseLine } from '@millwright/core'
import type { KafkaConnection } from '@millwright/gateways/kafka'
import type { CaseChanges, WatchReport } from '@millwright/monitoring'
import type { WatchedPlant } from './topics-watch.ts'

/** What the main thread tells the watcher's thread of its plant. */
export interface WatchWorkerData {
  /** What is to be known of the plan: the thread need not load the project. */
  readonly plant: WatchedPlant
  /** The topics of a data folder, where the state is saved, too; or those of Kafka, and where the state is saved. */
  readonly of:
    | { readonly kind: 'folder'; readonly dataDirectory: string }
    | { readonly kind: 'kafka'; readonly connection: KafkaConnection; readonly directory: string }
  /** Whether cases are told and written. */
  readonly keepsCases: boolean
}

export type WatcherOrder =
  | { readonly kind: 'stop' }
  /** Somebody waits for what becomes of a command: look often for a while. */
  | { readonly kind: 'hurry' }
  /** What was last sent as `cases` is on stable storage. */
  | { readonly kind: 'cases-written' }

export type WatcherMessage =
  | {
      readonly kind: 'progress'
      /** Everything appended before was taken, epoch milliseconds; −Infinity before the first record. */
      readonly readUpToMs: number
      /** Of the thread since its start. */
      readonly cpuSeconds: number
    }
  | { readonly kind: 'report'; readonly report: WatchReport }
  /** To be written to the topic `cases`. The thread takes no more until it is. */
  | { readonly kind: 'cases'; readonly lines: readonly CaseLine[] }
  /** Of what was written. `first` of a thread: it names every case that is remembered. */
  | { readonly kind: 'case-changes'; readonly first: boolean; readonly changes: CaseChanges }
  | { readonly kind: 'save-failed'; readonly message: string }
  /** The topics cannot be read at the moment, or again (`null`). */
  | { readonly kind: 'away'; readonly message: string | null }

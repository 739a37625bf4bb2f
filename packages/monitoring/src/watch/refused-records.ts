import { watchedTopics } from './watched-record.ts'

/** Why a record was passed over. `wrong-shape`: JSON, but not of a record of its topic. */
export const recordRefusals = ['not-json', 'wrong-shape'] as const

export type RecordRefusal = (typeof recordRefusals)[number]

/** Topics whose refused records are counted here; commands to cases are counted with why they were refused. */
export const checkedTopics = watchedTopics.filter((topic) => topic !== 'case-commands')

export type CheckedTopic = (typeof checkedTopics)[number]

/** Records that were passed over since the first; only what is not 0. */
export type RefusedRecords = Readonly<Partial<Record<CheckedTopic, Readonly<Partial<Record<RecordRefusal, number>>>>>>

/** The counts with one more. */
export function withRefused(counts: RefusedRecords, topic: CheckedTopic, why: RecordRefusal): RefusedRecords {
  const ofTopic = counts[topic] ?? {}
  return { ...counts, [topic]: { ...ofTopic, [why]: (ofTopic[why] ?? 0) + 1 } }
}

/** Reads a record as JSON; where it is none, or none of the shape wanted, why. Never throws. */
export function readRecord<T extends object>(
  text: string,
  hasShape: (document: unknown) => document is T,
): T | RecordRefusal {
  let document: unknown
  try {
    document = JSON.parse(text)
  } catch {
    return 'not-json'
  }
  return hasShape(document) ? document : 'wrong-shape'
}

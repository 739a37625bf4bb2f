/**
 * Keys of the records on `model-updates`. Compaction keeps the last record of each key, so a key says what replaces what: the
 * same part of the same version replaces itself; an activation replaces nothing.
 *
 * A key is a JSON array, whose first element says of which kind the record is.
 */

/** Key of one part of a package. @param part Counts from 0. */
export function packagePartKey(name: string, version: string, part: number): string {
  return JSON.stringify(['part', name, version, part])
}

/**
 * Key of an activation. No two activations share one, not even the same version's at the same moment: a replay needs each.
 *
 * @param id Given by the publisher, unique for good, for example a random UUID.
 */
export function activationKey(name: string, id: string): string {
  return JSON.stringify(['activation', name, id])
}

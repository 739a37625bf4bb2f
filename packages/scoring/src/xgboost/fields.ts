import { ModelFileError } from '../model-file/model-file-error.ts'
import type { ValueReader } from '../model-file/value-reader.ts'

/**
 * Reads an object by a table of its fields: each known one by its own function, at most once; others are skipped, since
 * every version of XGBoost adds some.
 *
 * @param readers Reads one value each.
 * @param required Fields without which the object is refused, at its own place.
 */
export function readFields(
  reader: ValueReader,
  readers: Readonly<Record<string, () => void>>,
  required: readonly string[],
): void {
  const where = reader.where
  const offsetBytes = reader.offsetBytes
  const seen = new Set<string>()
  reader.object((name) => {
    const read = Object.hasOwn(readers, name) ? readers[name] : undefined
    if (read === undefined) {
      reader.skip()
      return
    }
    if (seen.has(name))
      throw new ModelFileError('field-twice', 'a field that comes twice', reader.where, reader.offsetBytes)
    seen.add(name)
    read()
  })
  const missing = required.filter((name) => !seen.has(name))
  if (missing.length > 0)
    throw new ModelFileError('field-missing', `no ${missing.map((name) => `"${name}"`).join(', ')}`, where, offsetBytes)
}

/**
 * Reads a whole number that XGBoost writes as text, as it does all its parameters.
 *
 * @param max Largest that is accepted; the least is 0.
 */
export function readCount(reader: ValueReader, max: number): number {
  const text = reader.string()
  if (!/^\d{1,15}$/.test(text))
    throw new ModelFileError(
      'wrong-type',
      `found "${text.slice(0, 40)}", wanted a count`,
      reader.where,
      reader.offsetBytes,
    )
  const count = Number(text)
  if (count > max)
    throw new ModelFileError('too-many', `found ${count}, at most ${max}`, reader.where, reader.offsetBytes)
  return count
}

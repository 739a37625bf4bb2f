/**
 * Puts the places of the sources into a stack trace of the bundled script, by its source map.
 * Source: ECMA-426 (source map format), version 3, "mappings" as base64 VLQ.
 */

interface SourceMap {
  readonly sources: readonly string[]
  readonly mappings: string
}

/** A place in the bundle, and the one in a source that it came from. Lines and columns count from 0. */
interface Segment {
  readonly column: number
  readonly source: number
  readonly sourceLine: number
  readonly sourceColumn: number
}

const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

/**
 * Returns the trace with `file.ts:line:column` wherever it named a place in the bundle; places that the map does not know stay as
 * they are.
 *
 * @param scriptName The name that the script was run under.
 */
export function placesInSources(stack: string, sourceMap: string, scriptName: string): string {
  const map = JSON.parse(sourceMap) as SourceMap
  const lines = map.mappings.split(';')
  const escaped = scriptName.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
  const wanted = [...stack.matchAll(new RegExp(`${escaped}:(\\d+):(\\d+)`, 'g'))]
  if (wanted.length === 0) return stack
  const segments = decodeLines(lines, Math.max(...wanted.map((match) => Number(match[1]))))
  return stack.replace(new RegExp(`${escaped}:(\\d+):(\\d+)`, 'g'), (place, line: string, column: string) => {
    const found = segments[Number(line) - 1]?.findLast((segment) => segment.column <= Number(column) - 1)
    if (found === undefined) return place
    return `${map.sources[found.source]}:${found.sourceLine + 1}:${found.sourceColumn + 1}`
  })
}

/** Decodes the first `count` lines: what a segment leaves out counts on from the one before it, over all lines. */
function decodeLines(lines: readonly string[], count: number): Segment[][] {
  let source = 0
  let sourceLine = 0
  let sourceColumn = 0
  return lines.slice(0, count).map((line) => {
    const segments: Segment[] = []
    let column = 0
    for (const text of line === '' ? [] : line.split(',')) {
      const fields = decodeFields(text)
      column += fields[0] ?? 0
      if (fields.length < 4) continue
      source += fields[1] as number
      sourceLine += fields[2] as number
      sourceColumn += fields[3] as number
      segments.push({ column, source, sourceLine, sourceColumn })
    }
    return segments
  })
}

function decodeFields(text: string): number[] {
  const fields: number[] = []
  let value = 0
  let shift = 0
  for (const character of text) {
    const digit = digits.indexOf(character)
    value |= (digit & 31) << shift
    shift += 5
    if ((digit & 32) !== 0) continue
    fields.push((value & 1) === 0 ? value >>> 1 : -(value >>> 1))
    value = 0
    shift = 0
  }
  return fields
}

import { isAscii, isUtf8 } from 'node:buffer'
import { limits } from '@millwright/core'
import { parse } from 'csv-parse/sync'

/**
 * Cuts the lines of a CSV file into rows of cells.
 *
 * R1 A row is a line, or, where a quoted cell holds newlines, several. Blank lines are no rows.
 * R2 Rows come out the same however the lines are split into calls.
 * R3 A row that cannot be read (a stray quote, not UTF-8) costs its first line, and reading goes on with the next: no
 *    quote, closed or not, takes the rest of the file with it. About `csvRecordBytesMax` wait for a closing quote.
 */
export interface RowSplitter {
  /**
   * Returns the rows that end in these lines.
   *
   * @param bytes Whole lines, each with its newline.
   * @param positionAfter See `FileLines`.
   */
  push(bytes: Uint8Array, positionAfter: (line: number, endByte: number) => number): CsvRow[]
  /** The file ends: what waits for a closing quote is given out as R3 says. */
  end(): CsvRow[]
}

/** One row, and the place in the file just after it. A cell without quotes may have spaces around it. */
export type CsvRow = ReadableRow | UnreadableRow
export interface ReadableRow {
  readonly kind: 'row'
  readonly cells: readonly string[]
  readonly position: number
}
export interface UnreadableRow {
  readonly kind: 'unreadable'
  readonly text: string
  /** For a person: what is wrong with it. */
  readonly problem: string
  readonly position: number
}

/** A line that may be a row by itself, or part of one. */
interface Line {
  readonly text: string
  readonly position: number
}

/** A row of one line with quotes, which the parser has yet to look at: many at once cost far less. */
interface QuotedLine extends Line {
  readonly kind: 'quoted'
}

const newline = 10

/** Makes a splitter for one file. @param delimiter One character other than the quote `"`. */
export function createRowSplitter(delimiter: string): RowSplitter {
  /** Lines of a row whose quote is open: the first has an odd number of quotes, the others an even one. */
  let open: Line[] = []
  let openBytes = 0
  let found: (CsvRow | QuotedLine)[] = []

  function addLine(line: Line): void {
    const quotes = countQuotes(line.text)
    if (open.length === 0) {
      if (quotes === 0) addPlainLine(line.text, line.position)
      else if (quotes % 2 === 0) found.push({ kind: 'quoted', ...line })
      else holdOpen(line)
      return
    }
    holdOpen(line)
    if (quotes % 2 === 1) closeRow()
    else if (openBytes > limits.csvRecordBytesMax) giveUpFirstLine()
  }

  function addPlainLine(text: string, position: number): void {
    const row = withoutReturn(text)
    if (row.trim() !== '') found.push({ kind: 'row', cells: row.split(delimiter), position })
  }

  function holdOpen(line: Line): void {
    open.push(line)
    openBytes += line.text.length + 1
  }

  function closeRow(): void {
    const cells = parseOne(open.map((line) => line.text).join('\n'), delimiter)
    if (cells !== null) {
      found.push({ kind: 'row', cells, position: open.at(-1)?.position ?? 0 })
      open = []
      openBytes = 0
    } else giveUpFirstLine()
  }

  /** R3. The lines after the first are looked at anew; of these at most the last can open a quote again. */
  function giveUpFirstLine(): void {
    const [first, ...rest] = open
    open = []
    openBytes = 0
    if (first !== undefined) found.push(unreadable(first))
    for (const line of rest) addLine(line)
  }

  function takeFound(): CsvRow[] {
    const rows = readQuotedLines(found, delimiter)
    found = []
    return rows
  }

  return {
    push(bytes, positionAfter) {
      // Without quotes and beyond ASCII nothing has to be looked at byte by byte.
      if (open.length === 0 && isAscii(bytes) && !bytes.includes(34)) {
        let end = 0
        for (const [index, text] of latin1(bytes, 0, bytes.length - 1)
          .split('\n')
          .entries()) {
          end += text.length + 1
          addPlainLine(text, positionAfter(index, end))
        }
        return takeFound()
      }
      let start = 0
      for (let index = 0; start < bytes.length; index++) {
        const end = bytes.indexOf(newline, start)
        const position = positionAfter(index, end + 1)
        const line = bytes.subarray(start, end)
        if (isUtf8(line)) addLine({ text: Buffer.from(line).toString('utf8'), position })
        else addForeignLine(latin1(bytes, start, end), position)
        start = end + 1
      }
      return takeFound()
    },
    end() {
      while (open.length > 0) giveUpFirstLine()
      return takeFound()
    },
  }

  function addForeignLine(text: string, position: number): void {
    while (open.length > 0) giveUpFirstLine()
    found.push({ kind: 'unreadable', text, problem: 'the row is not UTF-8', position })
  }
}

/** One character per byte: exact for ASCII, and for bytes of an unknown encoding a text from which they can be had back. */
function latin1(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1', start, end)
}

function countQuotes(text: string): number {
  let count = 0
  for (let at = text.indexOf('"'); at >= 0; at = text.indexOf('"', at + 1)) count++
  return count
}

function unreadable({ text, position }: Line): UnreadableRow {
  return { kind: 'unreadable', text, problem: 'a quote is not closed, or stands where none may', position }
}

function withoutReturn(text: string): string {
  return text.endsWith('\r') ? text.slice(0, -1) : text
}

/** Puts cells in the place of the lines that have quotes: all in one go where each is well-formed, else one by one. */
function readQuotedLines(found: readonly (CsvRow | QuotedLine)[], delimiter: string): CsvRow[] {
  const quoted = found.filter((row) => row.kind === 'quoted')
  if (quoted.length === 0) return found as CsvRow[]
  const together = parseRows(quoted.map(({ text }) => withoutReturn(text)).join('\n'), delimiter, false)
  const cellsOf = together?.length === quoted.length ? together : quoted.map(({ text }) => parseOne(text, delimiter))
  let index = 0
  return found.map((row) => {
    if (row.kind !== 'quoted') return row
    const cells = cellsOf[index++] ?? null
    return cells === null ? unreadable(row) : { kind: 'row', cells, position: row.position }
  })
}

/**
 * Reads one row that has quotes; `null` when it is not well-formed. Spaces around quotes are rare, and cost a third of the
 * parser's time to look for: that is done where the row is wrong without, so that a row does not depend on its neighbours.
 */
function parseOne(text: string, delimiter: string): string[] | null {
  const row = withoutReturn(text)
  const rows = parseRows(row, delimiter, false) ?? parseRows(row, delimiter, true)
  return rows?.length === 1 ? (rows[0] ?? null) : null
}

function parseRows(text: string, delimiter: string, trim: boolean): string[][] | null {
  try {
    return parse(text, { delimiter, trim, relax_column_count: true, record_delimiter: '\n' })
  } catch {
    // What is wrong is the file's, not ours, and its place is known better here than to the parser.
    return null
  }
}

import { ConfigurationError, type CsvFormat } from '@millwright/core'
import { readCsvLines } from './csv/read-csv-lines.ts'
import { type FileLines, type ReadFileOptions, readFileLines } from './read-file-lines.ts'

/** What a file of readings is, as its name says. */
export type ReadingFileKind = 'ndjson' | 'csv'

/** `csv` for names that end in `.csv`, `.tsv` or `.txt`, before `.gz` or at the end; `ndjson` for all others. */
export function readingFileKind(path: string): ReadingFileKind {
  return /\.(?:csv|tsv|txt)(?:\.gz)?$/i.test(path) ? 'csv' : 'ndjson'
}

/**
 * Reads a file of readings as chunks of JSON lines: NDJSON as it stands, CSV in the plan's format.
 *
 * @param csv The plan's `csv`.
 * @throws {ConfigurationError} Also when the file is CSV and the plan does not say how to read it.
 */
export function readReadings(
  path: string,
  csv: CsvFormat | null,
  options: ReadFileOptions = {},
): AsyncGenerator<FileLines, void> {
  if (readingFileKind(path) === 'ndjson') return readFileLines(path, options)
  if (csv !== null) return readCsvLines(path, csv, options)
  throw new ConfigurationError(`"${path}" is a CSV file.`, [
    { field: 'csv', found: 'nothing', wanted: 'how the CSV files of this plant are to be read (docs/formats/csv.md)' },
  ])
}

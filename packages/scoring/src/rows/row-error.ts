import { MillwrightError } from '@millwright/core'

/** A row to be scored cannot be read. Names the line and, where there is one, the field. */
export class RowError extends MillwrightError {
  readonly code = 'ROW'
  readonly retry = 'never'

  /**
   * @param line Of the file, from 1.
   * @param field Name or place of the value; `null` where the row as a whole is wrong.
   */
  constructor(line: number, field: string | null, found: string, wanted: string) {
    const where = field === null ? '' : `, ${field}`
    super(`Cannot score line ${line}${where}: found ${found.slice(0, foundMax)}, wanted ${wanted}`, {
      details: { line, field },
    })
  }
}

/** Characters of what was found that a message repeats. */
const foundMax = 120

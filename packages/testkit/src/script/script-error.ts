/** A script that cannot be read: names the line and what is wanted there. */
export class ScriptError extends Error {
  readonly line: number

  constructor(line: number, found: string, wanted: string) {
    super(`line ${line}: found ${found}, wanted ${wanted}`)
    this.name = 'ScriptError'
    this.line = line
  }
}

import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

/** A file that a process is started with. */
export interface ConfigurationFile {
  readonly path: string
  readonly text: string
}

/** Writes configuration files for this user alone: some hold passwords. */
export function writeConfiguration(files: readonly ConfigurationFile[]): void {
  for (const { path, text } of files) {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text, { mode: 0o600 })
  }
}

/** Prints Java properties. Backslashes are doubled; no value of ours holds a line break. */
export function propertiesText(properties: Readonly<Record<string, string | number | boolean>>): string {
  return Object.entries(properties)
    .map(([key, value]) => `${key}=${String(value).replaceAll('\\', '\\\\')}\n`)
    .join('')
}

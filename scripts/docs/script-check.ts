/** Where a text has a reader run a script of `package.json`. */
const calls = /\bnpm (?:run (?:-s |--silent )?([a-z][\w:-]*)|(test|start)\b)/g

/** Says which scripts a text names (`npm run NAME`, `npm test`, `npm start`) that are none; with their lines, from 1. */
export function missingScripts(text: string, scripts: ReadonlySet<string>): { line: number; script: string }[] {
  return [...text.matchAll(calls)].flatMap(({ index, 1: named, 2: known }) => {
    const script = named ?? known ?? ''
    return scripts.has(script) ? [] : [{ line: text.slice(0, index).split('\n').length, script }]
  })
}

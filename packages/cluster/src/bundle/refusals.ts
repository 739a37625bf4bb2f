import { ConfigurationError, type ConfigurationProblem } from '@millwright/core'

/** What the script may not name, and what to write instead. */
interface Refusal {
  readonly pattern: RegExp
  readonly wanted: string
}

const ofTheRecord = 'the time of the record: a feature sees its window'
const notThere = 'only the language itself: plain V8 has nothing of Node or a browser'

/**
 * What plain V8 lacks, and what would give two answers: time, chance, functions of Math whose last digit differs between two
 * V8s, code that waits.
 */
const refusals: readonly Refusal[] = [
  { pattern: /\bMath\.random\b/, wanted: 'a function of the values alone' },
  { pattern: /\bnew Date\b|\bDate\s*\(|\bDate\.(?:now|parse|UTC)\b/, wanted: ofTheRecord },
  { pattern: /\b(?:setTimeout|setInterval|setImmediate|queueMicrotask|performance)\b/, wanted: ofTheRecord },
  { pattern: /\b(?:await|async)\b|\bnew Promise\b/, wanted: 'a plain function' },
  {
    pattern: /\bMath\.(?:a?(?:sin|cos|tan)h?|atan2|exp|expm1|log|log10|log1p|log2|pow|cbrt|hypot)\b/,
    wanted: "the same function of `math` in '@millwright/core'",
  },
  { pattern: /[\w)\]]\s*\*\*\s*[\w(]/, wanted: "a product, or `math.pow` of '@millwright/core'" },
  { pattern: /\bIntl\b|\btoLocale\w+\(|\blocaleCompare\b/, wanted: 'comparison by code unit' },
  // It has no tables of Unicode: a script with such an expression does not even load.
  { pattern: /\\[pP]\{/, wanted: 'the range of code points' },
  { pattern: /\b(?:fetch|XMLHttpRequest|WebSocket)\s*\(/, wanted: notThere },
  { pattern: /\b(?:TextDecoder|TextEncoder|Buffer|URL|URLSearchParams|structuredClone|atob|btoa)\b/, wanted: notThere },
  { pattern: /\bprocess\.\w|\brequire\s*\(|\b__dirname\b|\bimport\.meta\b/, wanted: notThere },
  { pattern: /\bnew (?:WeakRef|FinalizationRegistry)\b/, wanted: 'values that live as long as the call' },
]

const commentsAndStrings = /\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"/g

/** Returns what a source names that the script may not, with file, line and column. */
export function refusedIn(file: string, source: string): ConfigurationProblem[] {
  // Blanked rather than cut, so that places stay.
  const code = source.replace(commentsAndStrings, (part) => part.replace(/[^\n]/g, ' '))
  return code.split('\n').flatMap((line, index) =>
    refusals.flatMap(({ pattern, wanted }) => {
      const match = pattern.exec(line)
      if (match === null) return []
      return [{ field: `${file}:${index + 1}:${match.index + 1}`, found: match[0].trim(), wanted }]
    }),
  )
}

/** @throws {ConfigurationError} When there is a problem. */
export function refuseProblems(problems: readonly ConfigurationProblem[]): void {
  if (problems.length > 0) throw new ConfigurationError('The project cannot run inside Flink.', problems)
}

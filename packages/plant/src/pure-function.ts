/**
 * Finds what would make a user's feature function differ between two runs, machines or engines. A search of the
 * source text, so it errs on the side of refusing; the message names the replacement.
 */
const bans: readonly { readonly pattern: RegExp; readonly wanted: string }[] = [
  { pattern: /\bMath\s*\.\s*random\b/, wanted: 'no chance: a replay must give the same number' },
  {
    pattern: /\bMath\s*\.\s*(?:a?(?:sin|cos|tan)h?|atan2|exp|expm1|log|log10|log1p|log2|pow|cbrt|hypot)\b/,
    wanted: "the same function of `math` from '@millwright/core': two machines may differ in Math's last digit",
  },
  { pattern: /\*\*/, wanted: "`math.pow` from '@millwright/core', or a product: `**` may differ in its last digit" },
  { pattern: /\bMath\s*\[/, wanted: 'the member of Math by its name, so that it can be checked' },
  { pattern: /\b(?:Date|performance|Temporal|Intl)\b/, wanted: "no clock and no locale: use the window's own times" },
  {
    pattern: /\b(?:await|async|yield|setTimeout|setInterval|Promise|queueMicrotask)\b/,
    wanted: 'an answer at once, nothing asynchronous',
  },
  {
    pattern: /\b(?:process|require|import|fetch|globalThis|eval|Function|crypto|console)\b/,
    wanted: 'a function of its arguments alone',
  },
  { pattern: /\btoLocale\w*|\blocaleCompare\b/, wanted: 'nothing that depends on the locale of the machine' },
]

/** Comments and strings may speak of anything. A template literal is left in: it can hold code. */
const commentsAndStrings = /\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"/g

/**
 * Returns what is wrong with the source of a function, as what is found and what is wanted; empty when nothing is.
 *
 * @param source `Function.prototype.toString()` of the user's function.
 */
export function impurities(source: string): { readonly found: string; readonly wanted: string }[] {
  const code = source.replace(commentsAndStrings, ' ')
  const problems: { found: string; wanted: string }[] = []
  for (const { pattern, wanted } of bans) {
    const match = pattern.exec(code)
    if (match !== null) problems.push({ found: `\`${match[0]}\` in its source`, wanted })
  }
  return problems
}

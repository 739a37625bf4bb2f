/**
 * The simple commands of a shell's text, each as its words: quotes are taken off, comments and redirections left out, variables
 * left as they are. A `|` within a word is no pipe: documents write alternatives so.
 */
export function shellCommands(text: string): string[][] {
  const commands: string[][] = [[]]
  for (const { groups = {} } of text.matchAll(parts)) {
    if (groups['end'] !== undefined) commands.push([])
    if (groups['word'] !== undefined) commands.at(-1)?.push(groups['word'].replace(quoted, '$1$2$3'))
  }
  return commands.filter((words) => words.length > 0)
}

const parts = new RegExp(
  [
    /(?:\\\n|[ \t])+/,
    /#[^\n]*/,
    /\d?(?:>>?|<)(?:&\d|\s*[^\s;&|]+)/,
    /(?<end>\n|;|&&?|\|\|?(?=\s|$))/,
    /(?<word>(?:"[^"]*"|'[^']*'|\\.|[^\s;&<>])+)/,
    /./,
  ]
    .map(({ source }) => source)
    .join('|'),
  'gy',
)
const quoted = /"([^"]*)"|'([^']*)'|\\(.)/g

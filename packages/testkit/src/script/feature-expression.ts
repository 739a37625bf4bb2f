import { type AggregateStatistic, aggregateStatistics, type FeatureNode, type RollingNode } from '@millwright/core'

const aggregates: ReadonlySet<string> = new Set(aggregateStatistics)

/** An expression as it is written: a word, or a word with arguments. */
interface Expression {
  readonly word: string
  readonly given: readonly Expression[] | null
}

/**
 * Parses a feature as a project would write it, without quotes: `mean(x)`, `lag(mean(x), 2)`, `rolling(std, max(x), 4)`,
 * `quantile(x, 0.9)`, `exponentialMean(mean(x), 0.5)`, `hoursSince(maintenance)`, `countOf(error, 24)`. Users' own functions are
 * stood for by `quotient(a, b)` of two features and `countAbove(x, 4)` of raw values.
 *
 * @throws {Error} Saying what is wanted.
 */
export function parseFeature(text: string): FeatureNode {
  const { expression, rest } = parseExpression(text.trim())
  if (rest.trim() !== '') throw new Error(`nothing after the feature, found "${rest.trim()}"`)
  return nodeOf(expression)
}

function parseExpression(text: string): { expression: Expression; rest: string } {
  const match = /^\s*([\w.-]+)\s*/.exec(text)
  if (match === null) throw new Error(`a word, found "${text}"`)
  const word = match[1] ?? ''
  let rest = text.slice(match[0].length)
  if (!rest.startsWith('(')) return { expression: { word, given: null }, rest }
  const given: Expression[] = []
  rest = rest.slice(1).trimStart()
  while (!rest.startsWith(')')) {
    const inner = parseExpression(rest)
    given.push(inner.expression)
    rest = inner.rest.trimStart()
    if (rest.startsWith(',')) rest = rest.slice(1).trimStart()
    else if (!rest.startsWith(')')) throw new Error(`"," or ")", found "${rest}"`)
  }
  return { expression: { word, given }, rest: rest.slice(1) }
}

function nodeOf({ word, given }: Expression): FeatureNode {
  if (given === null) throw new Error(`${word}(…)`)
  const at = (index: number): Expression => {
    const found = given[index]
    if (found === undefined) throw new Error(`${index + 1} arguments of ${word}`)
    return found
  }
  const name = (index: number): string => at(index).word
  const number = (index: number): number => Number(name(index))
  if (word === 'count' && given.length === 0) return { kind: 'aggregate', statistic: 'count', channel: null }
  if (aggregates.has(word)) return { kind: 'aggregate', statistic: word as AggregateStatistic, channel: name(0) }
  switch (word) {
    case 'quantile':
      return { kind: 'quantile', channel: name(0), q: number(1) }
    case 'lag':
      return { kind: 'lag', of: nodeOf(at(0)), windows: number(1) }
    case 'difference':
      return { kind: 'difference', of: nodeOf(at(0)), windows: number(1) }
    case 'rolling': {
      const statistic = name(0) as RollingNode['statistic']
      return { kind: 'rolling', statistic, of: nodeOf(at(1)), windows: number(2) }
    }
    case 'exponentialMean':
      return { kind: 'exponential-mean', of: nodeOf(at(0)), alpha: number(1) }
    case 'hoursSince':
      return { kind: 'hours-since', eventType: name(0) }
    case 'countOf':
      return { kind: 'count-of', eventType: name(0), hours: number(1) }
    case 'quotient':
      return { kind: 'derived', of: [nodeOf(at(0)), nodeOf(at(1))], compute: (a, b) => Number(a) / Number(b) }
    case 'countAbove': {
      const [channel, limit] = [name(0), number(1)]
      const compute = (series: { values: Readonly<Record<string, Float64Array>> }): number =>
        (series.values[channel] ?? new Float64Array(0)).filter((value) => value > limit).length
      return { kind: 'custom', channels: [channel], compute }
    }
    default:
      throw new Error(`a known feature, found "${word}"`)
  }
}

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { AclOperations, ResourcePatternTypes, ResourceTypes } from '@platformatic/kafka'

/** A right on something of Kafka's, as a line of the guide gives it. */
export interface Right {
  readonly resourceType: (typeof ResourceTypes)[keyof typeof ResourceTypes]
  readonly resourceName: string
  readonly resourcePatternType: (typeof ResourcePatternTypes)[keyof typeof ResourcePatternTypes]
  readonly operation: (typeof AclOperations)[keyof typeof AclOperations]
}

const guides = join(import.meta.dirname, '../../../docs/guide')
/** Kafka's own name of the one cluster that there is. */
const clusterName = 'kafka-cluster'

/**
 * Reads the rights of the first table after a sentence of a guide, so that what is tried is what a reader is told.
 *
 * @throws When there is no such table, or a line of it is not understood.
 */
export function rightsOfGuide(guide: string, sentence: string): Right[] {
  const text = readFileSync(join(guides, guide), 'utf8')
  const at = text.indexOf(sentence)
  if (at < 0) throw new Error(`${guide} does not say "${sentence}"`)
  const [, table] = /\n\n\| on \| rights \|[^\n]*\n\|[-|]+\|\n((?:\|.*\n)+)/.exec(text.slice(at)) ?? []
  if (table === undefined) throw new Error(`${guide} has no table of rights after "${sentence}"`)
  return table.split('\n').flatMap((line) => (line === '' ? [] : rightsOfLine(line)))
}

function rightsOfLine(line: string): Right[] {
  const [, on = '', rights = ''] = line.split('|').map((cell) => cell.trim())
  const operations = [...rights.matchAll(/\*([a-z ]+)\*/g)].map(([, name = '']) => operationOf(name))
  const names = on === 'the cluster' ? [clusterName] : [...on.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name)
  if (operations.length === 0 || names.length === 0) throw new Error(`no rights are understood in "${line}"`)
  const target = { resourceType: kindOf(on), resourcePatternType: patternOf(on) }
  return names.flatMap((resourceName) => operations.map((operation) => ({ ...target, resourceName, operation })))
}

function kindOf(on: string): Right['resourceType'] {
  if (on === 'the cluster') return ResourceTypes.CLUSTER
  if (on.includes('transactional id')) return ResourceTypes.TRANSACTIONAL_ID
  return /^(?:the group|groups) /.test(on) ? ResourceTypes.GROUP : ResourceTypes.TOPIC
}

function patternOf(on: string): Right['resourcePatternType'] {
  return on.includes('(prefixed)') ? ResourcePatternTypes.PREFIXED : ResourcePatternTypes.LITERAL
}

function operationOf(name: string): Right['operation'] {
  const operation = AclOperations[name.replace(' ', '_').toUpperCase() as keyof typeof AclOperations]
  if (operation === undefined) throw new Error(`Kafka has no right "${name}"`)
  return operation
}

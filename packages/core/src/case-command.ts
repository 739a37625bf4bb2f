import { type CaseCommand, type CaseVerdictKind, caseCommandKinds, caseVerdictKinds } from './cases.ts'
import { found, isName, isRecord, isTime } from './document-checks.ts'
import * as limits from './limits.ts'
import { utf8ByteLength } from './text.ts'

/** Permanent codes of what is wrong with a command at the door. */
export const caseCommandProblems = [
  'command-too-long',
  'command-not-json',
  'command-not-an-object',
  'command-id',
  'command-case-id',
  'command-device-id',
  'command-unknown',
  'command-by',
  'command-seen',
  'command-comment',
  'command-assignee',
  'command-link',
  'command-verdict',
  'command-found',
  'command-failure-at',
  'command-span',
] as const

export type CaseCommandProblem = (typeof caseCommandProblems)[number]

export type CaseCommandResult =
  | { readonly kind: 'command'; readonly command: CaseCommand }
  | { readonly kind: 'refused'; readonly reason: CaseCommandProblem; readonly message: string }

/**
 * Reads one record of `case-commands`. Unknown fields are passed over.
 *
 * Never throws: what is wrong comes back as a permanent code and a message that names the field, what was found and what is wanted. The
 * first thing that is wrong is named.
 *
 * @param text One JSON document, at most `caseCommandBytesMax` in UTF-8.
 */
export function readCaseCommand(text: string): CaseCommandResult {
  if (utf8ByteLength(text) > limits.caseCommandBytesMax)
    return refused('command-too-long', `the command: wanted at most ${limits.caseCommandBytesMax} bytes`)
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    // The engine's own words differ between versions; the result must not.
    return refused('command-not-json', 'the command: wanted JSON')
  }
  return checkCaseCommand(parsed)
}

/** Like {@link readCaseCommand}, of a document that was parsed already. */
export function checkCaseCommand(document: unknown): CaseCommandResult {
  if (!isRecord(document)) return refused('command-not-an-object', `the command: ${found(document)}, wanted an object`)
  const get = (field: string): unknown => (Object.hasOwn(document, field) ? document[field] : undefined) ?? null
  const wrong = (reason: CaseCommandProblem, field: string, wanted: string): CaseCommandResult =>
    refused(reason, `${field}: ${found(document[field])}, wanted ${wanted}`)
  const name = (bytesMax: number): string => `1 to ${bytesMax} bytes without control characters`

  const [id, caseId, deviceId, by, seen, comment] = ['id', 'caseId', 'deviceId', 'by', 'seen', 'comment'].map(get)
  if (!isName(id, limits.caseCommandIdBytesMax)) return wrong('command-id', 'id', name(limits.caseCommandIdBytesMax))
  if (!isName(caseId, limits.caseIdBytesMax)) return wrong('command-case-id', 'caseId', name(limits.caseIdBytesMax))
  if (!isName(deviceId, limits.deviceIdBytesMax))
    return wrong('command-device-id', 'deviceId', name(limits.deviceIdBytesMax))
  const command = caseCommandKinds.find((kind) => kind === get('command'))
  if (command === undefined) return wrong('command-unknown', 'command', caseCommandKinds.join(', '))
  if (!isOptional(by, (value) => isName(value, limits.personBytesMax)))
    return wrong('command-by', 'by', name(limits.personBytesMax))
  if (!isOptional(seen, (value): value is number => Number.isSafeInteger(value) && (value as number) >= 0))
    return wrong('command-seen', 'seen', 'a whole number from 0')
  if (!isOptional(comment, isNote)) return wrong('command-comment', 'comment', noteWanted)
  const head = { id, caseId, deviceId, by, seen, comment }
  switch (command) {
    case 'acknowledge':
    case 'reopen':
      return { kind: 'command', command: { ...head, command } }
    case 'comment':
      if (comment === null) return wrong('command-comment', 'comment', noteWanted)
      return { kind: 'command', command: { ...head, command } }
    case 'assign': {
      const assignee = get('assignee')
      if (!isOptional(assignee, (value) => isName(value, limits.personBytesMax)))
        return wrong('command-assignee', 'assignee', `${name(limits.personBytesMax)}, or null for nobody`)
      return { kind: 'command', command: { ...head, command, assignee } }
    }
    case 'link': {
      const to = get('to')
      if (!isName(to, limits.caseLinkBytesMax)) return wrong('command-link', 'to', name(limits.caseLinkBytesMax))
      return { kind: 'command', command: { ...head, command, to } }
    }
    case 'resolve':
      return checkResolve(head, get, wrong)
  }
}

type Head = Pick<CaseCommand, 'id' | 'caseId' | 'deviceId' | 'by' | 'seen' | 'comment'>

function checkResolve(
  head: Head,
  get: (field: string) => unknown,
  wrong: (reason: CaseCommandProblem, field: string, wanted: string) => CaseCommandResult,
): CaseCommandResult {
  const verdict: CaseVerdictKind | undefined = caseVerdictKinds.find((kind) => kind === get('verdict'))
  if (verdict === undefined) return wrong('command-verdict', 'verdict', caseVerdictKinds.join(', '))
  const whatWasFound = get('found')
  if (!isOptional(whatWasFound, isNote)) return wrong('command-found', 'found', noteWanted)
  const [failureAt, from, to] = [get('failureAt'), get('from'), get('to')]
  if (!isOptional(failureAt, isTime)) return wrong('command-failure-at', 'failureAt', timeWanted)
  if (failureAt !== null && verdict !== 'failure-confirmed')
    return wrong('command-failure-at', 'failureAt', `nothing where the verdict is ${verdict}`)
  if (!isOptional(from, isTime)) return wrong('command-span', 'from', timeWanted)
  if (!isOptional(to, isTime)) return wrong('command-span', 'to', timeWanted)
  if (from !== null && to !== null && to <= from) return wrong('command-span', 'to', `a time after "from" (${from})`)
  if (from !== null && failureAt !== null && failureAt <= from)
    return wrong('command-failure-at', 'failureAt', `a time after "from" (${from})`)
  return {
    kind: 'command',
    command: { ...head, command: 'resolve', verdict, found: whatWasFound, failureAt, from, to },
  }
}

const noteWanted = `text of 1 to ${limits.caseNoteBytesMax} bytes`
const timeWanted = 'epoch milliseconds in 1970 to 2200'

function isNote(value: unknown): value is string {
  return (
    typeof value === 'string' &&
    value.trim() !== '' &&
    value.isWellFormed() &&
    utf8ByteLength(value) <= limits.caseNoteBytesMax
  )
}

function isOptional<T>(value: unknown, is: (value: unknown) => value is T): value is T | null {
  return value === null || is(value)
}

function refused(reason: CaseCommandProblem, message: string): CaseCommandResult {
  return { kind: 'refused', reason, message }
}

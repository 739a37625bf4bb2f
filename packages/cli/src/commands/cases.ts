import { randomUUID } from 'node:crypto'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { type CaseRefusal, ConfigurationError, caseStatuses, checkCaseCommand } from '@millwright/core'
import type { Command } from 'commander'
import { type CaseAccess, FolderCases, findCase } from '../cases/case-access.ts'
import { caseListText, caseText } from '../cases/case-text.ts'
import { GatewayCases } from '../cases/gateway-cases.ts'
import { addGatewayFlags, type GatewayFlags, gatewayOf } from '../control/gateway-client.ts'
import { loadProject } from '../project/load-project.ts'
import { wholeNumber } from '../terminal/arguments.ts'

const examples = `
Examples:
  millwright cases list --project my-plant
  millwright cases show press-07
  millwright cases acknowledge press-07 --by Jo
  millwright cases resolve press-07 --verdict failure-confirmed --found "bearing worn" --failed-at 2026-01-04T10:00:00Z
  millwright cases resolve press-07@1766000400000 --verdict false-alarm
  millwright cases reopen press-07 --comment "it shakes again"
  millwright cases list --gateway http://plant.example.org:8420

A case is named by its id, or by its machine: then the one that is not resolved is meant. A failure that no case was opened for
is told by \`millwright feedback\` or on the status page. docs/guide/cases.md explains cases.`

interface CaseFlags extends GatewayFlags {
  readonly project: string
  readonly data?: string
  readonly json?: true
  readonly status?: string
  readonly limit?: string
  readonly by?: string
  readonly comment?: string
  readonly verdict?: string
  readonly found?: string
  readonly failedAt?: string
}

/** Adds `millwright cases`: what people work on, and what they found. */
export function addCommand(program: Command): void {
  const cases = program
    .command('cases')
    .description('List cases, and say what was done about them and found.')
    .addHelpText('after', examples)
  const add = (verb: string, description: string): Command =>
    addGatewayFlags(cases.command(verb))
      .description(description)
      .option('--project <dir>', 'folder or millwright.config.ts', '.')
      .option('--data <dir>', 'data folder (default: data, in the project)')
      .option('--json', 'print the result as JSON on stdout')
  const addChange = (verb: string, description: string): Command =>
    add(verb, description)
      .argument('<case>', 'id of a case, or of a machine')
      .option('--by <name>', 'who does it (default: your name on this machine)')
      .option('--comment <text>', 'what there is to say')
  add('list', 'List cases, those that want attention first.')
    .option('--status <status>', `unresolved, ${caseStatuses.join(', ')} or any`, 'unresolved')
    .option('--limit <n>', 'at most so many', '100')
    .action(list)
  add('show', 'Print a case with all that became of it.')
    .argument('<case>', 'id of a case, or of a machine')
    .action(show)
  addChange('acknowledge', 'Say that somebody looks at it.').action((named: string, flags: CaseFlags) =>
    change(named, flags, { command: 'acknowledge' }),
  )
  addChange('assign', 'Give it to somebody.')
    .argument('[name]', 'who; absent: nobody')
    .action((named: string, assignee: string | undefined, flags: CaseFlags) =>
      change(named, flags, { command: 'assign', assignee: assignee ?? null }),
    )
  addChange('comment', 'Add a comment.')
    .argument('<text>')
    .action((named: string, comment: string, flags: CaseFlags) =>
      change(named, { ...flags, comment }, { command: 'comment' }),
    )
  addChange('link', 'Add a link: an address, the number of an order, another case.')
    .argument('<to>')
    .action((named: string, to: string, flags: CaseFlags) => change(named, flags, { command: 'link', to }))
  addChange('resolve', 'Say what it was. The verdict is a label that the model is judged by.')
    .requiredOption('--verdict <verdict>', 'failure-confirmed, false-alarm or unclear')
    .option('--found <text>', 'what was found')
    .option('--failed-at <time>', 'when it failed, ISO 8601 with a zone')
    .action((named: string, flags: CaseFlags) =>
      change(named, flags, {
        command: 'resolve',
        verdict: flags.verdict,
        found: flags.found ?? null,
        failureAt: flags.failedAt === undefined ? null : timeOf(flags.failedAt),
      }),
    )
  addChange('reopen', 'Take a verdict back.').action((named: string, flags: CaseFlags) =>
    change(named, flags, { command: 'reopen' }),
  )
}

async function accessOf(flags: CaseFlags): Promise<CaseAccess> {
  const gateway = gatewayOf(flags, { '--data': flags.data })
  if (gateway !== null) return new GatewayCases(gateway)
  const project = await loadProject(flags.project)
  return new FolderCases(project, flags.data ?? join(project.directory, 'data'))
}

async function list(flags: CaseFlags): Promise<void> {
  const statuses = ['unresolved', ...caseStatuses, 'any'] as const
  const status = statuses.find((each) => each === flags.status)
  if (status === undefined) throw wrong('--status', flags.status ?? '', statuses.join(', '))
  const access = await accessOf(flags)
  const limit = wholeNumber('--limit', flags.limit ?? '', 1, 1_000_000)
  const query = { status: status === 'any' ? null : status, deviceId: null, severity: null, offset: 0, limit }
  const found = await access.list(query)
  process.stdout.write(`${flags.json ? JSON.stringify(found) : caseListText(found)}\n`)
}

async function show(named: string, flags: CaseFlags): Promise<void> {
  const access = await accessOf(flags)
  const found = await access.show(await findCase(access, named))
  if (found === null) throw wrong('case', named, 'the id of a case, or of a machine that has one')
  process.stdout.write(`${flags.json ? JSON.stringify(found) : caseText(found)}\n`)
}

async function change(named: string, flags: CaseFlags, what: object): Promise<void> {
  const access = await accessOf(flags)
  const caseId = await findCase(access, named)
  const checked = checkCaseCommand({
    id: randomUUID(),
    caseId,
    deviceId: caseId.slice(0, caseId.lastIndexOf('@')),
    by: flags.by ?? userInfo().username,
    comment: flags.comment ?? null,
    ...what,
  })
  if (checked.kind === 'refused')
    throw new ConfigurationError('The command cannot be given.', [
      { field: checked.reason, found: named, wanted: checked.message },
    ])
  const answer = await access.command(checked.command)
  if (flags.json) process.stdout.write(`${JSON.stringify({ id: checked.command.id, ...answer })}\n`)
  if (answer.kind === 'refused') {
    process.stderr.write(`${caseId} was not changed: ${refusalText(answer.reason)}\n`)
    process.exitCode = 1
  } else if (!flags.json) {
    const said =
      answer.kind === 'applied'
        ? `${answer.case.change}, now ${answer.case.status}`
        : 'taken; it takes effect when the plant is watched'
    process.stdout.write(`${caseId}: ${said}.\n`)
  }
}

function refusalText(reason: CaseRefusal): string {
  return reason.replaceAll('-', ' ')
}

/** @throws {ConfigurationError} */
function timeOf(text: string): number {
  const timeMs = /(?:Z|[+-]\d\d:?\d\d)$/.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(timeMs)) throw wrong('--failed-at', text, 'ISO 8601 with a zone, such as 2026-01-04T10:00:00Z')
  return timeMs
}

function wrong(field: string, found: string, wanted: string): ConfigurationError {
  return new ConfigurationError('The command cannot run.', [{ field, found, wanted }])
}

import { type CaseCommand, ConfigurationError, type Plan } from '@millwright/core'
import {
  type CaseCommandAnswer,
  type CaseDetail,
  type CaseList,
  type CaseQuery,
  commandAhead,
} from '@millwright/gateways'
import { askPlant } from '../control/control-client.ts'
import { openPlant } from '../plant/open-plant.ts'
import { verdictsUntilMs } from '../plant/verdicts-until.ts'
import type { LoadedProject } from '../project/load-project.ts'
import { queryCases } from './case-mirror.ts'
import {
  folderTopics,
  readCaseMessages,
  readCases,
  readCaseWindows,
  stepOf,
  viewOf,
  windowsBeforeMs,
} from './case-topics.ts'

/** The cases of a plant for a command. */
export interface CaseAccess {
  /** @throws {ConfigurationError} Where the plant that runs keeps no cases. */
  list(query: CaseQuery): Promise<CaseList>
  /** `null` where there is no such case. */
  show(caseId: string): Promise<CaseDetail | null>
  /** Gives a command. @throws {ConfigurationError} Where it is a verdict on what is to come, or the plant that runs keeps no cases. */
  command(command: CaseCommand): Promise<CaseCommandAnswer>
}

/** Of the plant that runs on a data folder, else what its topics say. */
export class FolderCases implements CaseAccess {
  readonly #project: LoadedProject
  readonly #dataDirectory: string

  constructor(project: LoadedProject, dataDirectory: string) {
    this.#project = project
    this.#dataDirectory = dataDirectory
  }

  async list(query: CaseQuery): Promise<CaseList> {
    const answer = await askPlant(this.#dataDirectory, { kind: 'list-cases', query })
    if (answer === null) return { ...queryCases(readCases(this.#dataDirectory), query), asOf: null, isBehind: false }
    if (answer.result === null) throw notKept()
    return answer.result as CaseList
  }

  async show(caseId: string): Promise<CaseDetail | null> {
    return await readCaseDetail(this.#dataDirectory, this.#project.plan, caseId)
  }

  /** Where no plant runs it is pending: it takes effect when one does. */
  async command(command: CaseCommand): Promise<CaseCommandAnswer> {
    const ahead = commandAhead(command, verdictsUntilMs(this.#project.plan))
    if (ahead !== null)
      throw new ConfigurationError('The command cannot be given.', [
        { field: ahead.reason, found: command.caseId, wanted: ahead.message },
      ])
    const answer = await askPlant(this.#dataDirectory, { kind: 'case-command', command })
    if (answer !== null) {
      if (answer.result === null) throw notKept()
      return answer.result as CaseCommandAnswer
    }
    const { engine } = await openPlant({ project: this.#project, dataDirectory: this.#dataDirectory, workerCount: 1 })
    try {
      await engine.appendCaseCommands([{ deviceId: command.deviceId, line: JSON.stringify(command) }])
      return { kind: 'pending' }
    } finally {
      await engine.close()
    }
  }
}

/**
 * Finds the case that a person means: a case's id, or a machine's for its case that is not resolved, else its last.
 *
 * @throws {ConfigurationError} Where there is none.
 */
export async function findCase(access: CaseAccess, named: string): Promise<string> {
  if (/@\d+$/.test(named)) return named
  const { cases } = await access.list({ status: null, deviceId: named, severity: null, offset: 0, limit: 1 })
  const [first] = cases
  if (first !== undefined) return first.caseId
  throw new ConfigurationError('There is no such case.', [
    { field: 'case', found: named, wanted: 'the id of a case, or of a machine that has one' },
  ])
}

/** A case by its topic alone, however long it takes; `null` where there is none. */
export async function readCaseDetail(directory: string, plan: Plan, caseId: string): Promise<CaseDetail | null> {
  const read = folderTopics(directory, plan.partitionCount, Number.POSITIVE_INFINITY)
  const { messages } = await readCaseMessages(read, caseId)
  const last = messages.at(-1)
  if (last === undefined) return null
  const found = viewOf(last)
  return {
    case: found,
    history: messages.map(stepOf),
    ...(await readCaseWindows(read, found, windowsBeforeMs)),
  }
}

/** Says that a plant keeps no cases. */
export function notKept(): ConfigurationError {
  return new ConfigurationError('The plant that runs keeps no cases.', [
    { field: 'millwright run', found: '--no-watch, or a start a moment ago', wanted: 'a plant that is watched' },
  ])
}

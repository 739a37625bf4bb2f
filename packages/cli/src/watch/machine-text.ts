import type { MachineReport, ModelMachineDrift } from '@millwright/monitoring'
import { formatCount } from '../terminal/progress.ts'
import { block, moment, percent, type Row } from '../terminal/rows.ts'
import { qualityRows } from './quality-rows.ts'

type Quality = NonNullable<MachineReport['quality']>['now']
type Column = NonNullable<ModelMachineDrift['present']>[number]

/** What is known of one machine, for a person to read. */
export function machineText({ deviceId, readUpTo, quality, drift, verdicts }: MachineReport): string {
  const parts = [`What the topics say of ${deviceId}${readUpTo === null ? '' : ` up to ${moment(readUpTo)}`}.`]
  if (quality !== null) {
    if (quality.last !== null) parts.push(qualityText('Data quality, last day', quality.last))
    parts.push(qualityText(`Data quality, this day so far${quality.now.silent ? '; SILENT NOW' : ''}`, quality.now))
  }
  for (const each of drift) parts.push(driftText(each))
  if (verdicts.length > 0)
    parts.push(
      block(
        'Verdicts, the latest first',
        verdicts.map(({ kind, fromMs, toMs }): Row => [kind, `${moment(fromMs)} to ${moment(toMs)}`]),
      ),
    )
  return parts.join('\n\n')
}

function qualityText(title: string, day: Quality): string {
  return block(`${title}${day.periodStartMs === null ? '' : ` (from ${moment(day.periodStartMs)})`}`, [
    ['windows', `${formatCount(day.windows)} of ${formatCount(day.readings)} readings`],
    ...qualityRows(day),
    ['refused otherwise', formatCount(day.otherRefusals)],
    ['fell silent', `${formatCount(day.silences)} times`],
  ])
}

function driftText({ model, ...drift }: ModelMachineDrift): string {
  const { ownPeriods, ownPeriodsWanted, windows, windowsWanted, present, alarmed, unlikeTraining } = drift
  const rows: Row[] = [['alarms that stand', alarmed.length === 0 ? 'none' : alarmed.join(', ')]]
  if (unlikeTraining === null) rows.push(['own reference', `${ownPeriods} of ${ownPeriodsWanted} days`])
  else {
    const judged = windows < windowsWanted ? `; a day is judged with ${formatCount(windowsWanted)}` : ''
    rows.push(
      ['against its own first days', `${formatCount(windows)} windows of this day${judged}`],
      ...(present ?? []).map(columnRow),
      ['its first days against training', 'how unlike the rest of the fleet it is: no alarm'],
      ...unlikeTraining.map(columnRow),
    )
  }
  return block(`Drift under model ${model.name} ${model.version}`, rows)
}

function columnRow({ column, drifted, psi, pValue, outsideShare }: Column): Row {
  const values = `PSI ${psi.toFixed(3)}, p ${pValue.toPrecision(2)}, ${percent(outsideShare)} outside`
  return [`  ${column}`, `${drifted ? 'other' : 'alike'}: ${values}`]
}

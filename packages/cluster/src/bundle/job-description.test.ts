import { countOf, definePlant, difference, hoursSince, mean, tumbling } from '@millwright/plant'
import { expect, test } from 'vitest'
import { describeJob } from './job-description.ts'

const shop = { name: 'shop', channels: { x: { unit: '1' } }, window: tumbling('10 s') } as const

test.each([
  [false, { x: mean('x') }],
  [true, { x: mean('x'), hours: hoursSince('maintenance') }],
  [true, { more: difference(countOf('error', { hours: 24 }), 1) }],
])('describeJob() has inputs merged (%s) exactly where a feature looks at device events', (merged, features) => {
  expect(describeJob(definePlant({ ...shop, features })).mergeInputs).toBe(merged)
})

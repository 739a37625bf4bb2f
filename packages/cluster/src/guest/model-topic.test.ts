import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Activation, limits } from '@millwright/core'
import { openModelPackage, packModel } from '@millwright/scoring'
import { planOf } from '@millwright/testkit'
import { expect, test } from 'vitest'
import { packageParts } from '../kafka/package-parts.ts'
import { hostCrypto } from './host-crypto.ts'
import { nodeHost } from './host-testing.ts'
import { controlLagMs, ModelTopic, type RefusedUpdate, seenEverywhereMs } from './model-topic.ts'

const crypto = hostCrypto(nodeHost)
const example = readFileSync(join(import.meta.dirname, '../../../../examples/predictive-maintenance/model.mwmodel'))
const { manifest, modelBytes } = openModelPackage(example, crypto)
const plan = {
  ...planOf({ channels: ['x'] }),
  model: { name: manifest.name, trustedKeys: [] },
  features: manifest.features.map(({ name, unit }) => {
    return { name, unit, node: { kind: 'aggregate', statistic: 'mean', channel: 'x' } as const }
  }),
}

/** The example's model under another version: another package. */
function packageOf(version: string): Uint8Array {
  const { modelFormat: _format, modelSha256: _sha256, ...about } = manifest
  return packModel({ ...about, version, model: modelBytes }, crypto)
}

function topic(): { models: ModelTopic; announced: Activation[]; refused: RefusedUpdate[] } {
  const announced: Activation[] = []
  const refused: RefusedUpdate[] = []
  const models = new ModelTopic({
    plan,
    crypto,
    announce: (activation) => announced.push(activation),
    refuse: (update) => refused.push(update),
  })
  return { models, announced, refused }
}

function activation(sha256: string, key: string, appendTimeMs: number): Parameters<ModelTopic['take']>[0] {
  const value = JSON.stringify({ name: manifest.name, version: manifest.version, sha256, activeFrom: 50 })
  return { key, value: new TextEncoder().encode(value), appendTimeMs }
}

const sha256Of = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

test('an activation waits for its package, and was seen when every guest has it (U2, U3)', () => {
  const { models, announced } = topic()
  const parts = packageParts(manifest, example)
  models.take(activation(sha256Of(example), 'one', 10))
  expect([announced.length, models.waitingCount]).toEqual([0, 1])
  for (const part of [...parts].reverse()) models.take({ ...part, appendTimeMs: 99 })
  expect(announced.map(({ seenAtMs, activeFromMs }) => [seenAtMs, activeFromMs])).toEqual([[10 + seenEverywhereMs, 50]])
  // The same records once more change nothing; another activation does.
  models.take(activation(sha256Of(example), 'one', 10))
  for (const part of parts) models.take({ ...part, appendTimeMs: 100 })
  expect(announced.length).toBe(1)
  models.take(activation(sha256Of(example), 'two', 20))
  expect(announced.map(({ seenAtMs }) => seenAtMs)).toEqual([10 + seenEverywhereMs, 20 + seenEverywhereMs])
  expect(models.waitingCount).toBe(0)
})

test('what is no update is refused with its bytes, a deleted key is nothing (U1)', () => {
  const { models, announced, refused } = topic()
  const [part] = packageParts(manifest, example)
  const cut = (part?.value ?? new Uint8Array()).slice(0, 20)
  for (const value of [new Uint8Array(0), new TextEncoder().encode('not json'), cut])
    models.take({ key: 'k', value, appendTimeMs: 1 })
  expect(refused.map(({ record }) => record.length)).toEqual([8, 20])
  expect(announced).toEqual([])
})

test('a package that the plan does not take is refused (U1)', () => {
  const { announced, refused } = topic()
  const other = { ...plan, model: { name: 'another', trustedKeys: [] } }
  const models = new ModelTopic({
    plan: other,
    crypto,
    announce: (made) => announced.push(made),
    refuse: (update) => refused.push(update),
  })
  for (const part of packageParts(manifest, example)) models.take({ ...part, appendTimeMs: 1 })
  models.take(activation(sha256Of(example), 'one', 10))
  expect(announced).toEqual([])
  expect(refused.map(({ message }) => message.includes('another'))).toEqual([true])
})

test('a model beyond those that are kept is loaded again when its package is published again (U4)', () => {
  const { models, announced } = topic()
  const publish = (bytes: Uint8Array, key: string): void => {
    for (const part of packageParts(manifest, bytes)) models.take({ ...part, appendTimeMs: 1 })
    models.take(activation(sha256Of(bytes), key, 10))
  }
  const first = packageOf('v-first')
  publish(first, 'first')
  for (let i = 0; i < limits.modelPackagesKept; i++) publish(packageOf(`v${i}`), `key-${i}`)
  expect(announced.length).toBe(limits.modelPackagesKept + 1)
  models.take(activation(sha256Of(first), 'rollback', 20))
  expect(models.waitingCount).toBe(1)
  publish(first, 'published again')
  expect([models.waitingCount, announced.length]).toEqual([0, limits.modelPackagesKept + 3])
})

test('every guest has an activation before it counts as seen, whatever the brokers’ clocks say of 250 ms (U3)', () => {
  expect(seenEverywhereMs - controlLagMs).toBeGreaterThanOrEqual(250)
})

import { createHash } from 'node:crypto'
import { proofModelFile, proofPackage } from './packages.ts'

/** A package that must not get in, and the reason with which it must be refused. */
export interface HostilePackage {
  readonly what: string
  readonly reason: string
  readonly bytes: Uint8Array<ArrayBuffer>
}

const headBytes = 24
const digestBytes = 32

type Manifest = Record<string, unknown> & {
  goldenRows: { features: (number | null)[]; probability: number }[]
  features: { name: string; unit: string }[]
  baseline: { features: { counts: number[] }[] }
  threshold: unknown
  modelSha256: string
}

/**
 * Packages of all the kinds that a mistake or an attacker can make of a sound one. Written by the documented format
 * (docs/formats/model-package.md), with lengths, hash and digest right again wherever one who knows it would set them right.
 */
export function hostilePackages(): HostilePackage[] {
  const sound = Buffer.from(proofPackage('hostile', true))
  const manifestLength = sound.readUInt32LE(16)
  const model = sound.subarray(headBytes + manifestLength, sound.length - digestBytes)
  const manifestOf = (): Manifest =>
    JSON.parse(sound.toString('utf8', headBytes, headBytes + manifestLength)) as Manifest

  const changed = (change: (manifest: Manifest) => void, otherModel: Uint8Array = model): Uint8Array<ArrayBuffer> => {
    const manifest = manifestOf()
    manifest.modelSha256 = sha256(otherModel).toString('hex')
    change(manifest)
    return pack(Buffer.from(JSON.stringify(manifest)), otherModel)
  }
  const text = (manifest: string): Uint8Array<ArrayBuffer> => pack(Buffer.from(manifest), model)
  const withByte = (at: number, change: (byte: number) => number): Uint8Array<ArrayBuffer> => {
    const copy = Buffer.from(sound)
    const place = at < 0 ? copy.length + at : at
    copy[place] = change(copy[place] as number)
    return copy
  }
  const one = (reason: string, what: string, bytes: Uint8Array<ArrayBuffer>): HostilePackage => ({
    reason,
    what,
    bytes,
  })
  return [
    one('not-a-package', 'a bare model', Buffer.from(model)),
    one('not-a-package', 'a page of HTML', Buffer.from('<!doctype html><title>Sign in</title>')),
    one('truncated', 'nothing', new Uint8Array(0)),
    one('truncated', 'cut in its head', Buffer.from(sound.subarray(0, 20))),
    one('truncated', 'cut by one byte', Buffer.from(sound.subarray(0, -1))),
    one(
      'truncated',
      'a length of the model that lies',
      withByte(22, () => 0xff),
    ),
    one(
      'truncated',
      'said to be signed, and not',
      withByte(12, () => 1),
    ),
    one('trailing-bytes', 'a byte too many', Buffer.concat([sound, Buffer.from('x')])),
    one(
      'version-unsupported',
      'a format to come',
      withByte(8, () => 2),
    ),
    one(
      'flags-unknown',
      'a flag to come',
      withByte(12, () => 2),
    ),
    one(
      'manifest-too-large',
      'a length of the manifest that lies',
      withByte(19, () => 0xff),
    ),
    one(
      'digest-differs',
      'one bit of the manifest flipped',
      withByte(40, (byte) => byte ^ 1),
    ),
    one(
      'digest-differs',
      'one bit of the digest flipped',
      withByte(-1, (byte) => byte ^ 1),
    ),
    one(
      'model-hash-differs',
      'another model inside',
      pack(Buffer.from(JSON.stringify(manifestOf())), proofModelFile(false)),
    ),
    one('manifest-not-utf8', 'a manifest that is no text', pack(Buffer.of(0xff), model)),
    one('manifest-not-json', 'a manifest that is not JSON', text('{"name":')),
    one('manifest-field', 'a manifest nested deep', text(`{"name":${'['.repeat(1e5)}${']'.repeat(1e5)}}`)),
    one(
      'manifest-field',
      'a version to break a terminal',
      changed((m) => void Object.assign(m, { version: 'a\u001b[2J' })),
    ),
    one(
      'manifest-field',
      'another kind of model',
      changed((m) => void Object.assign(m, { modelFormat: 'pickle' })),
    ),
    one(
      'manifest-field',
      'a negative count',
      changed((m) => {
        const [histogram] = m.baseline.features
        if (histogram !== undefined) histogram.counts[0] = -1
      }),
    ),
    one(
      'threshold-out-of-range',
      'a threshold above 1',
      changed((m) => {
        m.threshold = 1.5
      }),
    ),
    one(
      'golden-rows-count',
      'no golden rows',
      changed((m) => {
        m.goldenRows = []
      }),
    ),
    one(
      'baseline-differs',
      'a histogram too few',
      changed((m) => void m.baseline.features.pop()),
    ),
    one(
      'name-differs',
      'a model of another name',
      changed((m) => void Object.assign(m, { name: 'pump' })),
    ),
    one(
      'feature-order-differs',
      'features in another order',
      changed((m) => void m.features.reverse()),
    ),
    one(
      'feature-units-differ',
      'a feature in another unit',
      changed((m) => void Object.assign(m.features[0] ?? {}, { unit: '°F' })),
    ),
    one(
      'model-unreadable',
      'a model cut off',
      changed(() => undefined, model.subarray(0, -9)),
    ),
    one(
      'model-unreadable',
      'a pickle',
      changed(() => undefined, Buffer.of(0x80, 4, 0x95, 0x10)),
    ),
    one(
      'model-feature-count-differs',
      'a model of other features',
      changed(() => undefined, proofModelFile(true, 5)),
    ),
    one(
      'golden-rows-differ',
      'a model that answers otherwise',
      changed(() => undefined, proofModelFile(false)),
    ),
    one(
      'golden-rows-differ',
      'an answer one bit off',
      changed((m) => {
        const row = m.goldenRows[1]
        if (row !== undefined) row.probability += 6e-8
      }),
    ),
  ]
}

function pack(manifest: Uint8Array, model: Uint8Array): Uint8Array<ArrayBuffer> {
  const head = Buffer.alloc(headBytes)
  head.write('MWMODEL1', 'latin1')
  head.writeUInt32LE(1, 8)
  head.writeUInt32LE(manifest.length, 16)
  head.writeUInt32LE(model.length, 20)
  const body = Buffer.concat([head, manifest, model])
  return Buffer.concat([body, sha256(body)])
}

function sha256(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest()
}

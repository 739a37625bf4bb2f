import { createHash, createPrivateKey, createPublicKey, sign, verify } from 'node:crypto'
import type { PackageCrypto, PackageSigner } from '../src/index.ts'

const privatePrefix = Buffer.from('302e020100300506032b657004220420', 'hex')
const publicPrefix = Buffer.from('302a300506032b6570032100', 'hex')

/** Node's own cryptography, as tests give it to the pure room. */
export const testCrypto: PackageCrypto = {
  sha256: (bytes) => createHash('sha256').update(bytes).digest(),
  verifyEd25519: (publicKey, message, signature) =>
    verify(
      null,
      message,
      createPublicKey({ key: Buffer.concat([publicPrefix, publicKey]), format: 'der', type: 'spki' }),
      signature,
    ),
}

/** A signer whose key follows from a number: the same in every run, and worth nothing. */
export function testSigner(number: number): PackageSigner {
  const key = createPrivateKey({
    key: Buffer.concat([privatePrefix, Buffer.alloc(32, number)]),
    format: 'der',
    type: 'pkcs8',
  })
  const publicKey = createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(publicPrefix.length)
  return { publicKey, sign: (message) => sign(null, message, key) }
}

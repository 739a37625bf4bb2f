/**
 * Proof: on the peers' own input `millwright replay` gives the reference's windows, all of them and none twice; features to
 * 1e-9 relative; probabilities bit-equal to what XGBoost gives on the same float32 features.
 *
 *   node scripts/proofs/peers.ts [--lines 5000000]
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { millwright, peersInput, peersReference, peersScratch, referenceProject } from '../../bench/peers.ts'
import { PeersReference, requireOracles } from './support/peers-reference.ts'
import { numberArgument, prove } from './support/proof.ts'

await prove('peers', 900, async (proof) => {
  const lineCount = numberArgument('lines', 1_000_000)
  requireOracles()
  const input = peersInput(lineCount)
  const reference = new PeersReference(peersReference(input))
  const out = join(proof.folder, 'out')
  const model = join(peersScratch(), 'model.json')
  const startedMs = performance.now()
  const [program, ...args] = [
    ...millwright,
    'replay',
    referenceProject,
    '--input',
    input,
    '--out',
    out,
    '--model',
    model,
    '--json',
  ]
  const replay = spawn(program ?? '', args, { stdio: ['ignore', 'pipe', 'inherit'] })
  proof.onEnd(() => void replay.kill('SIGKILL'))
  createInterface({ input: replay.stdout }).on('line', (line) => proof.say(line.replace(/,"files":.*/, '}')))
  const exit = await once(replay, 'close')
  proof.say(`replay of ${lineCount} lines took ${((performance.now() - startedMs) / 1000).toFixed(1)} s`)
  proof.check(exit[0] === 0, 'the replay ends with 0')
  for await (const line of createInterface({ input: createReadStream(join(out, 'alert-signals.ndjson')) }))
    reference.take(line)
  reference.report(proof)
})

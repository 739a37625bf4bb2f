import { sha256Of } from '../model-store.ts'
import { runCrashChild } from './crash-load.ts'
import { sumsSubject } from './crash-sums.ts'
import { testPackage } from './sum-operator.ts'

await runCrashChild({
  subject: sumsSubject,
  worker: new URL('./crash-worker.ts', import.meta.url),
  identity: 'sums',
  validateModel: (bytes) => ({ name: 'sums', version: 'any', sha256: sha256Of(bytes) }),
  packageOf: (n) => testPackage(String(n)),
})

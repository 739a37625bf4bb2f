import { loadPackage } from '../../../packages/cli/src/models/load-package.ts'
import { runCrashChild } from '../../../packages/engine/src/testing/crash-load.ts'
import { proofPackage } from '../support/packages.ts'
import { plan, subject } from './subject.ts'

await runCrashChild({
  subject,
  worker: new URL('./worker.ts', import.meta.url),
  identity: 'proof',
  validateModel: (bytes) => {
    const { name, version, sha256 } = loadPackage(bytes, plan)
    return { name, version, sha256 }
  },
  packageOf: (n) => proofPackage(`v${n}`, n % 2 === 0),
})

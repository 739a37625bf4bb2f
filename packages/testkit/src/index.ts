export { byDeviceAndTopic, exactDifference, roughDifference } from './compare.ts'
export { createDirectEngine, type DirectEngineOptions, kernelDecoder, plainDecoder } from './direct-engine.ts'
export { type DiskFault, type DiskOperation, FaultDisk, type FaultKind, PowerCutError } from './disk-faults.ts'
export { MemoryDisk } from './disk-memory.ts'
export { constantModel, formulaModel } from './models.ts'
export { createNaiveEngine } from './naive/naive-operator.ts'
export { createPlanDriver, type DrivenMessage, PlanDriver } from './plan-driver.ts'
export { defaultTime, type PlanSketch, planOf } from './plans.ts'
export { randomScenario, type Scenario } from './scenario.ts'
export { type ScenarioOptions, scenarioFeatures, scenarioPlan, seededRandom } from './scenario-plan.ts'
export { checkScript } from './script/check-script.ts'
export type { ExpectedCounter, ExpectedOutput } from './script/expectation.ts'
export { type FlowScript, parseFlowScript } from './script/flow-script.ts'
export { ScriptError } from './script/script-error.ts'
export { scriptDayMs } from './script/times.ts'
export {
  type ConformanceEngine,
  offsetsOf,
  type RunResult,
  type Step,
  type StepModel,
  type StepOutput,
} from './steps.ts'

export {
  type ChannelName,
  channelNames,
  type FaultGroup,
  type FaultKind,
  type FaultTraits,
  faultKinds,
  faultTraits,
} from './fault-kinds.ts'
export { type InjectedFault, injectedFaultToJson } from './ground-truth.ts'
export { type Malformation, malformations } from './malformed.ts'
export type { FaultShare, SimulationOptions } from './options.ts'
export { simulatedLineBytesMax } from './reading-line.ts'
export { createSimulation, type SimulatedLine, Simulation, type SimulationCounts } from './simulation.ts'

export { compareStateShapes, type StateShapeComparison } from './compare-state-shapes.ts'
export type { DecodedLine, DecodedReading, ReadingFields } from './decode/decode-with-json-parse.ts'
export { decodeWithJsonParse } from './decode/decode-with-json-parse.ts'
export type { ReadingDecoderOptions } from './decode/decoder-options.ts'
export { createPlainReadingDecoder } from './decode/plain-reading-decoder.ts'
export { createReadingDecoder } from './decode/reading-decoder.ts'
export type { Refused } from './decode/refused.ts'
export { decodeDeviceEvent } from './device-event-line.ts'
export { eventTypes } from './features/device-events.ts'
export type { ProjectCall } from './features/feature-program.ts'
export type { TimerRequest } from './host-timers.ts'
export type { HostedOperator, RetractableSink, WriteState } from './hosted-operator.ts'
export {
  createHostedOperator,
  createPartitionOperator,
  type HostedOperatorOptions,
  type PartitionOperatorOptions,
} from './partition-operator.ts'
export {
  deviceStateVersion,
  type FeatureExpression,
  type PartName,
  type StateShape,
  stateShape,
  stateShapeHash,
} from './state-shape.ts'

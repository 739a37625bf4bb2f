/** What is on `model-updates`, for whoever publishes there without a Flink at hand: docs/formats/bridge.md, "Control records". */
export { partHeadBytes, partMagic, seenEverywhereMs } from '../guest/model-topic.ts'
export { activationKey } from './model-update-key.ts'
export { packageParts } from './package-parts.ts'

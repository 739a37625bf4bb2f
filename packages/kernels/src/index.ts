export type { DecodeAddresses, DecodeColumns, DecodeKernelOptions } from './decode-kernel.ts'
export { DecodeKernel } from './decode-kernel.ts'
export type { FoldBatch, FoldOptions } from './fold.ts'
export { createFoldKernel, Fold } from './fold.ts'
export {
  blockDevices,
  blockShift,
  clock,
  currentSlot,
  dirtyNext,
  emissions,
  emittedEnd,
  emittedStart,
  fastUntil,
  firstSlot,
  flagDirty,
  flagExists,
  flagFiled,
  flagSilent,
  flags,
  flagWaiting,
  foldRowsMax,
  lastAppend,
  nextSlot,
  partCount,
  partExtremes,
  partFirst,
  partLast,
  partMoment2,
  partMoment3,
  partMoment4,
  partSlope,
  partSum,
  ring,
  ringCount,
  ringReadings,
  wheelNext,
  windowEnd,
  windowFlags,
  windowHeaderFloats,
  windowReadings,
  windowStart,
} from './fold-fields.ts'
export type { FoldWork } from './fold-plain.ts'
export { createPlainFold } from './fold-plain.ts'
export { LinearMemory } from './linear-memory.ts'
export { createTreeEvaluator } from './trees.ts'
export type { CategorySets, Forest, TreeEvaluator } from './trees-forest.ts'
export { treeDepths } from './trees-forest.ts'
export { createPlainTreeEvaluator, nextNode } from './trees-plain.ts'

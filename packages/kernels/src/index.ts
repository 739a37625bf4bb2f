export { createTreeEvaluator } from './trees.ts'
export type { CategorySets, Forest, TreeEvaluator } from './trees-forest.ts'
export { treeDepths } from './trees-forest.ts'
export { createPlainTreeEvaluator, nextNode } from './trees-plain.ts'

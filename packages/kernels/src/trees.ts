/// <reference path="./web-assembly.d.ts" />
import { bytesOfBase64 } from './base64.ts'
import { treesWasmBase64 } from './trees.wasm.ts'
import type { Forest, TreeEvaluator } from './trees-forest.ts'
import { layOutForest } from './trees-layout.ts'

type Margins = (headerAddress: number, rowsAddress: number, rowCount: number, outAddress: number) => void

const pageBytes = 65_536
/** Up to here a loop costs less than making the views for a block copy. */
const smallCopyValues = 64

let module: WebAssembly.Module | null = null

/**
 * Compiles trees for the WebAssembly kernel. Its margins equal those of `createPlainTreeEvaluator` bit for bit; its memory
 * is fixed when it is made, and is freed with it.
 *
 * @param baseMargins Where the sum of each group begins; `groupCount` values.
 */
export function createTreeEvaluator(forest: Forest, baseMargins: Float32Array): TreeEvaluator {
  const { featureCount, groupCount } = forest
  const layout = layOutForest(forest, baseMargins)
  const pages = Math.ceil(layout.byteLength / pageBytes)
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages })
  module ??= new WebAssembly.Module(bytesOfBase64(treesWasmBase64))
  const instance = new WebAssembly.Instance(module, { env: { memory } })
  layout.write(memory.buffer)
  const margins = instance.exports['margins'] as Margins
  const { headerAddress, rowsAddress, rowsMax, outAddress } = layout
  const rowsInside = new Float32Array(memory.buffer, rowsAddress, rowsMax * featureCount)
  const outInside = new Float32Array(memory.buffer, outAddress, rowsMax * groupCount)
  return {
    margins(rows, rowCount, out) {
      for (let first = 0; first < rowCount; first += rowsMax) {
        const count = Math.min(rowsMax, rowCount - first)
        copyValues(rows, first * featureCount, rowsInside, 0, count * featureCount)
        margins(headerAddress, rowsAddress, count, outAddress)
        copyValues(outInside, 0, out, first * groupCount, count * groupCount)
      }
    },
  }
}

function copyValues(from: Float32Array, fromIndex: number, to: Float32Array, toIndex: number, count: number): void {
  if (count > smallCopyValues) {
    to.set(from.subarray(fromIndex, fromIndex + count), toIndex)
    return
  }
  for (let i = 0; i < count; i++) to[toIndex + i] = from[fromIndex + i] as number
}

import { type Forest, treeDepths } from './trees-forest.ts'

/**
 * Lays a forest out in the kernel's memory. Little-endian; addresses are bytes from the start of the memory; every part
 * begins at a multiple of 16.
 *
 *   header   u32 featureCount, groupCount, mirrored (0 or 1), chunks, chunkCount, baseMargins, columns, sums, scratch
 *   chunk    up to eight consecutive trees, 96 bytes: u32 kind, depth, treeCount, nodes, leaves; from byte 32 the group
 *            of each tree; from byte 64 the root of each tree (kinds 1 and 2)
 *   kind 0   perfect trees, padded to the chunk's depth D: 2^D nodes of u32 column, f32 threshold (number 0 is not
 *            used; node i has children 2i and 2i + 1), then 2^D leaves of f32 a tree; always room for eight trees
 *   kind 1   sparse trees: nodes of u32 column and flags, f32 threshold or u32 set, u32 first child, f32 leaf; the second
 *            child follows the first; a leaf is its own first child and compares with NaN
 *   kind 2   like 1, but the leaf is the u32 address of `groupCount` f32
 *   set      u32 wordCount, then words
 *   columns  64 rows as columns of f32, each 256 bytes: the features, then (mirrored) the features negated
 *   sums     64 rows of each group
 *
 * A column is counted in units of 4 bytes times 4, so that it is a row's byte offset as it stands.
 *
 * Both kinds ask only `value >= threshold`, which is false for NaN: a missing value takes child 0. So child 0 is the left
 * one where missing values go left. Where they go right the node looks at the negated value, `-x >= nextUp(-t)`, which is
 * `x < t`, and has its children swapped.
 */
export interface ForestLayout {
  /** All memory that the forest needs, from address 0. */
  readonly byteLength: number
  readonly headerAddress: number
  readonly rowsAddress: number
  readonly rowsMax: number
  readonly outAddress: number
  /** Writes everything into fresh (zero) memory of at least `byteLength` bytes. */
  write(memory: ArrayBuffer): void
}

/** The compiler of the kernel may keep static data below this address; ours has none. */
const firstAddress = 1024
const headerBytes = 48
const chunkBytes = 96
const chunkTrees = 8
const blockRows = 64
const columnBytes = blockRows * 4
const nodeBytes = 16
const scratchBytes = 64
/** Input and output buffers hold at least one block, and about this many bytes of rows. */
const rowsBytesWanted = 128 * 1024
/** Deeper trees are never padded: a tree of depth 12 takes 48 KiB. */
const perfectDepthMax = 12

const kindPerfect = 0
const kindScalar = 1
const kindVector = 2
const flagCategorical = 0x8000_0000
const flagInverted = 0x4000_0000

interface Chunk {
  readonly firstTree: number
  readonly treeCount: number
  readonly depth: number
  readonly kind: number
  readonly nodesAddress: number
  readonly leavesAddress: number
}

/** Plans the memory of a forest and of the buffers around it. */
export function layOutForest(forest: Forest, baseMargins: Float32Array): ForestLayout {
  const { featureCount, groupCount } = forest
  let end = firstAddress
  const reserve = (byteLength: number): number => {
    const address = end
    end = (address + byteLength + 15) & ~15
    return address
  }
  const headerAddress = reserve(headerBytes)
  const baseAddress = reserve(groupCount * 4)
  const scratchAddress = reserve(scratchBytes)
  const mirrored = needsMirror(forest)
  const columnsAddress = reserve((mirrored ? 2 : 1) * featureCount * columnBytes)
  const sumsAddress = reserve(groupCount * columnBytes)
  const rowsMax = Math.max(1, Math.floor(rowsBytesWanted / (featureCount * columnBytes))) * blockRows
  const rowsAddress = reserve(rowsMax * featureCount * 4)
  const outAddress = reserve(rowsMax * groupCount * 4)
  const setsAddress = reserve(
    forest.categories === null ? 0 : (forest.categories.words.length + forest.categories.start.length) * 4,
  )
  const vectorsAddress = reserve(forest.leafVectors === null ? 0 : forest.leafVectors.length * 4)
  const chunksAddress = reserve(Math.ceil(forest.roots.length / chunkTrees) * chunkBytes)
  const chunks = planChunks(forest, reserve)

  return {
    byteLength: end,
    headerAddress,
    rowsAddress,
    rowsMax,
    outAddress,
    write(memory) {
      const writer = new ForestWriter(forest, memory, setsAddress, vectorsAddress)
      const word = new Uint32Array(memory)
      word.set(
        [featureCount, groupCount, mirrored ? 1 : 0, chunksAddress, chunks.length, baseAddress, columnsAddress],
        headerAddress >> 2,
      )
      word.set([sumsAddress, scratchAddress], (headerAddress >> 2) + 7)
      new Float32Array(memory).set(baseMargins, baseAddress >> 2)
      writer.writeSets()
      writer.writeVectors()
      chunks.forEach((chunk, index) => {
        writer.writeChunk(chunk, chunksAddress + index * chunkBytes)
      })
    },
  }
}

function planChunks(forest: Forest, reserve: (byteLength: number) => number): Chunk[] {
  const depths = treeDepths(forest)
  const chunks: Chunk[] = []
  for (let firstTree = 0; firstTree < forest.roots.length; firstTree += chunkTrees) {
    const treeCount = Math.min(chunkTrees, forest.roots.length - firstTree)
    let depth = 0
    let nodeCount = 0
    let categorical = false
    for (let tree = firstTree; tree < firstTree + treeCount; tree++) {
      depth = Math.max(depth, depths[tree] as number)
      for (const node of nodesOf(forest, tree)) {
        nodeCount += 1
        categorical ||= forest.categories !== null && (forest.categories.setOfNode[node] as number) >= 0
      }
    }
    const sparseBytes = nodeCount * nodeBytes
    // Padding doubles with each level: only where it costs little more than the nodes themselves.
    const perfectBytes = depth > perfectDepthMax ? Number.POSITIVE_INFINITY : chunkTrees * (1 << depth) * 12
    if (forest.leafVectors !== null || categorical || perfectBytes > 2 * sparseBytes + 4096) {
      const kind = forest.leafVectors === null ? kindScalar : kindVector
      chunks.push({ firstTree, treeCount, depth, kind, nodesAddress: reserve(sparseBytes), leavesAddress: 0 })
    } else {
      const nodesAddress = reserve(chunkTrees * (8 << depth))
      const leavesAddress = reserve(chunkTrees * (4 << depth))
      chunks.push({ firstTree, treeCount, depth, kind: kindPerfect, nodesAddress, leavesAddress })
    }
  }
  return chunks
}

/** Nodes of one tree, level by level; the children of a node follow each other, so that one address names both. */
function nodesOf(forest: Forest, tree: number): number[] {
  const nodes = [forest.roots[tree] as number]
  for (let i = 0; i < nodes.length; i++) {
    const node = nodes[i] as number
    const left = forest.left[node] as number
    if (left !== -1) nodes.push(left, forest.right[node] as number)
  }
  return nodes
}

function needsMirror(forest: Forest): boolean {
  for (let tree = 0; tree < forest.roots.length; tree++)
    for (const node of nodesOf(forest, tree)) if (looksAtNegated(forest, node)) return true
  return false
}

function looksAtNegated(forest: Forest, node: number): boolean {
  const categorical = forest.categories !== null && (forest.categories.setOfNode[node] as number) >= 0
  return forest.left[node] !== -1 && forest.defaultLeft[node] === 0 && !categorical
}

class ForestWriter {
  readonly #forest: Forest
  readonly #word: Uint32Array
  readonly #single: Float32Array
  readonly #setsAddress: number
  readonly #vectorsAddress: number

  constructor(forest: Forest, memory: ArrayBuffer, setsAddress: number, vectorsAddress: number) {
    this.#forest = forest
    this.#word = new Uint32Array(memory)
    this.#single = new Float32Array(memory)
    this.#setsAddress = setsAddress
    this.#vectorsAddress = vectorsAddress
  }

  writeSets(): void {
    const sets = this.#forest.categories
    if (sets === null) return
    for (let set = 0; set + 1 < sets.start.length; set++) {
      const start = sets.start[set] as number
      const wordsEnd = sets.start[set + 1] as number
      const at = this.#setAddress(set) >> 2
      this.#word[at] = wordsEnd - start
      this.#word.set(sets.words.subarray(start, wordsEnd), at + 1)
    }
  }

  /** Each set before this one took one word for its length beside its own words. */
  #setAddress(set: number): number {
    const start = this.#forest.categories?.start[set] as number
    return this.#setsAddress + (start + set) * 4
  }

  writeVectors(): void {
    if (this.#forest.leafVectors !== null) this.#single.set(this.#forest.leafVectors, this.#vectorsAddress >> 2)
  }

  writeChunk(chunk: Chunk, address: number): void {
    const { kind, depth, treeCount, nodesAddress, leavesAddress } = chunk
    const at = address >> 2
    this.#word.set([kind, depth, treeCount, nodesAddress, leavesAddress], at)
    let nextNode = nodesAddress
    for (let i = 0; i < chunkTrees; i++) {
      const tree = i < treeCount ? chunk.firstTree + i : -1
      if (tree >= 0) this.#word[at + 8 + i] = this.#forest.groups[tree] as number
      if (kind === kindPerfect) {
        if (tree >= 0)
          this.#writePerfect(tree, depth, nodesAddress + i * (8 << depth), leavesAddress + i * (4 << depth))
      } else if (tree >= 0) {
        this.#word[at + 16 + i] = nextNode
        nextNode = this.#writeSparse(tree, nextNode)
      } else {
        // A chain with no tree of its own walks the first one; nobody reads where it ends.
        this.#word[at + 16 + i] = nodesAddress
      }
    }
  }

  #writePerfect(tree: number, depth: number, nodesAddress: number, leavesAddress: number): void {
    const { left, right, value, roots } = this.#forest
    const width = 1 << depth
    /** Node of the forest that stands at each place; a leaf above the last level is repeated down to it. */
    const placed = new Int32Array(2 * width)
    placed[1] = roots[tree] as number
    for (let i = 1; i < width; i++) {
      const node = placed[i] as number
      if (left[node] === -1) {
        placed[2 * i] = node
        placed[2 * i + 1] = node
        this.#single[(nodesAddress >> 2) + 2 * i + 1] = Number.POSITIVE_INFINITY
        continue
      }
      const swapped = looksAtNegated(this.#forest, node)
      placed[2 * i] = (swapped ? right[node] : left[node]) as number
      placed[2 * i + 1] = (swapped ? left[node] : right[node]) as number
      this.#writeTest(node, (nodesAddress >> 2) + 2 * i)
    }
    for (let i = 0; i < width; i++)
      this.#single[(leavesAddress >> 2) + i] = value[placed[width + i] as number] as number
  }

  #writeSparse(tree: number, address: number): number {
    const { left, right, defaultLeft, feature, roots, value, categories, leafVectors, groupCount } = this.#forest
    const nodes = [roots[tree] as number]
    for (let i = 0; i < nodes.length; i++) {
      const node = nodes[i] as number
      const nodeAddress = address + i * nodeBytes
      const at = nodeAddress >> 2
      if (left[node] === -1) {
        this.#single[at + 1] = Number.NaN
        this.#word[at + 2] = nodeAddress
        if (leafVectors === null) this.#single[at + 3] = value[node] as number
        else this.#word[at + 3] = this.#vectorsAddress + (right[node] as number) * groupCount * 4
        continue
      }
      const set = categories === null ? -1 : (categories.setOfNode[node] as number)
      const missingLeft = defaultLeft[node] === 1
      if (set >= 0) {
        this.#word[at] = ((feature[node] as number) * 4 + flagCategorical + (missingLeft ? 0 : flagInverted)) >>> 0
        this.#word[at + 1] = this.#setAddress(set)
      } else this.#writeTest(node, at)
      this.#word[at + 2] = address + nodes.length * nodeBytes
      const children = [left[node] as number, right[node] as number] as const
      if (missingLeft) nodes.push(children[0], children[1])
      else nodes.push(children[1], children[0])
    }
    return address + nodes.length * nodeBytes
  }

  #writeTest(node: number, at: number): void {
    const { feature, value, featureCount } = this.#forest
    const threshold = value[node] as number
    const negated = looksAtNegated(this.#forest, node)
    this.#word[at] = ((feature[node] as number) + (negated ? featureCount : 0)) * 4
    this.#single[at + 1] = negated ? strictlyAbove(-threshold) : threshold
  }
}

const bits = new Int32Array(1)
const single = new Float32Array(bits.buffer)

/** Least float32 above `value`; NaN above infinity, since nothing is at or above it. */
function strictlyAbove(value: number): number {
  if (value === Number.POSITIVE_INFINITY) return Number.NaN
  // Adding 0 makes -0 and 0 one: the next value above either is the least subnormal.
  single[0] = value + 0
  bits[0] = (bits[0] as number) + ((bits[0] as number) >= 0 ? 1 : -1)
  return single[0] as number
}

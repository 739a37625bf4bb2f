/**
 * Evaluates compiled decision trees. `trees-layout.ts` writes what is read here and draws the layout; `trees-plain.ts`
 * is the same thing in plain TypeScript, and the tests hold the two equal to the bit.
 *
 * Two ways through a forest, with equal sums since float32 additions keep the order of the trees:
 * - one row: eight trees at a time, so that eight independent chains of loads hide each other's latency;
 * - a block of rows, stored column by column: tree by tree, eight rows at a time. The first three levels of a perfect
 *   tree are decided for four rows in one instruction, since there all rows look at the same seven nodes.
 *
 * Loops have a condition that ends them: AssemblyScript 0.28 miscompiles some endless ones.
 */

/** Rows of a block, and its shift: a column is 64 float32 values, 256 bytes. */
const blockRows: i32 = 64
const columnShift: u32 = 6

/** Bytes of one chunk of eight trees, and where its tables stand. */
const chunkBytes: usize = 96
const chunkGroups: usize = 32
const chunkRoots: usize = 64

const kindPerfect: u32 = 0
const kindVector: u32 = 2

const flagCategorical: u32 = 0x80000000
const flagInverted: u32 = 0x40000000
const columnMask: u32 = 0x3fffffff
/** XGBoost takes a category at or beyond 2^24 for unknown: float32 cannot tell it from its neighbours. */
const categoryEnd: f32 = 16777216

// ---- perfect trees: node i has children 2i and 2i + 1; a value that is missing compares false and takes child 2i ----

// @ts-ignore: decorator
@inline
function perfectStep(nodes: usize, i: u32, x: usize, shift: u32): u32 {
  const node = nodes + (<usize>i << 3)
  return (i << 1) + u32(load<f32>(x + (<usize>load<u32>(node) << shift)) >= load<f32>(node, 4))
}

/** Adds the leaves of up to eight trees to the sums of one row. */
function perfectRow(chunk: usize, x: usize, sums: usize, groupCount: i32): void {
  const depth = load<u32>(chunk, 4)
  const count = load<u32>(chunk, 8)
  const nodeBytes: usize = <usize>8 << depth
  const leafBytes: usize = <usize>4 << depth
  const n0 = load<u32>(chunk, 12), n1 = n0 + nodeBytes, n2 = n1 + nodeBytes, n3 = n2 + nodeBytes
  const n4 = n3 + nodeBytes, n5 = n4 + nodeBytes, n6 = n5 + nodeBytes, n7 = n6 + nodeBytes
  let i0: u32 = 1, i1: u32 = 1, i2: u32 = 1, i3: u32 = 1, i4: u32 = 1, i5: u32 = 1, i6: u32 = 1, i7: u32 = 1
  for (let d: u32 = 0; d < depth; d++) {
    i0 = perfectStep(n0, i0, x, 0)
    i1 = perfectStep(n1, i1, x, 0)
    i2 = perfectStep(n2, i2, x, 0)
    i3 = perfectStep(n3, i3, x, 0)
    i4 = perfectStep(n4, i4, x, 0)
    i5 = perfectStep(n5, i5, x, 0)
    i6 = perfectStep(n6, i6, x, 0)
    i7 = perfectStep(n7, i7, x, 0)
  }
  // Leaf index i runs from 2^depth, so that the table begins one width earlier.
  const l0 = load<u32>(chunk, 16) - leafBytes, l1 = l0 + leafBytes, l2 = l1 + leafBytes, l3 = l2 + leafBytes
  const l4 = l3 + leafBytes, l5 = l4 + leafBytes, l6 = l5 + leafBytes, l7 = l6 + leafBytes
  if (groupCount == 1 && count == 8) {
    let s = load<f32>(sums)
    s += load<f32>(l0 + (<usize>i0 << 2))
    s += load<f32>(l1 + (<usize>i1 << 2))
    s += load<f32>(l2 + (<usize>i2 << 2))
    s += load<f32>(l3 + (<usize>i3 << 2))
    s += load<f32>(l4 + (<usize>i4 << 2))
    s += load<f32>(l5 + (<usize>i5 << 2))
    s += load<f32>(l6 + (<usize>i6 << 2))
    s += load<f32>(l7 + (<usize>i7 << 2))
    store<f32>(sums, s)
    return
  }
  addToGroup(chunk, 0, sums, 2, load<f32>(l0 + (<usize>i0 << 2)))
  if (count > 1) addToGroup(chunk, 1, sums, 2, load<f32>(l1 + (<usize>i1 << 2)))
  if (count > 2) addToGroup(chunk, 2, sums, 2, load<f32>(l2 + (<usize>i2 << 2)))
  if (count > 3) addToGroup(chunk, 3, sums, 2, load<f32>(l3 + (<usize>i3 << 2)))
  if (count > 4) addToGroup(chunk, 4, sums, 2, load<f32>(l4 + (<usize>i4 << 2)))
  if (count > 5) addToGroup(chunk, 5, sums, 2, load<f32>(l5 + (<usize>i5 << 2)))
  if (count > 6) addToGroup(chunk, 6, sums, 2, load<f32>(l6 + (<usize>i6 << 2)))
  if (count > 7) addToGroup(chunk, 7, sums, 2, load<f32>(l7 + (<usize>i7 << 2)))
}

// @ts-ignore: decorator
@inline
function addToGroup(chunk: usize, tree: usize, sums: usize, shift: u32, leaf: f32): void {
  const sum = sums + (<usize>load<u32>(chunk + (tree << 2), chunkGroups) << shift)
  store<f32>(sum, load<f32>(sum) + leaf)
}

/** Index (8 to 15) that the first three levels give to four rows at byte `o` of the columns c1 to c7. */
// @ts-ignore: decorator
@inline
function topLevels(
  o: usize,
  c1: usize, c2: usize, c3: usize, c4: usize, c5: usize, c6: usize, c7: usize,
  t1: v128, t2: v128, t3: v128, t4: v128, t5: v128, t6: v128, t7: v128,
): v128 {
  const first = f32x4.ge(v128.load(c1 + o), t1)
  const ge2 = f32x4.ge(v128.load(c2 + o), t2)
  const ge3 = f32x4.ge(v128.load(c3 + o), t3)
  const second = v128.bitselect(ge3, ge2, first)
  const low = v128.bitselect(f32x4.ge(v128.load(c5 + o), t5), f32x4.ge(v128.load(c4 + o), t4), ge2)
  const high = v128.bitselect(f32x4.ge(v128.load(c7 + o), t7), f32x4.ge(v128.load(c6 + o), t6), ge3)
  const third = v128.bitselect(high, low, first)
  // A comparison that holds is -1, so what it adds is subtracted.
  const bits = i32x4.add(i32x4.add(i32x4.shl(first, 2), i32x4.shl(second, 1)), third)
  return i32x4.sub(i32x4.splat(8), bits)
}

/** Adds the leaves of one perfect tree to the sums of `rowCount` rows (a multiple of eight) of a block. */
function perfectBlock(nodes: usize, leaves: usize, depth: u32, columns: usize, rowCount: i32, sums: usize): void {
  const rowBytes = <usize>rowCount << 2
  if (depth < 3) {
    for (let o: usize = 0; o < rowBytes; o += 4) {
      let i: u32 = 1
      for (let d: u32 = 0; d < depth; d++) i = perfectStep(nodes, i, columns + o, columnShift)
      store<f32>(sums + o, load<f32>(sums + o) + load<f32>(leaves + (<usize>i << 2)))
    }
    return
  }
  const c1 = columns + (<usize>load<u32>(nodes, 8) << columnShift), t1 = v128.load32_splat(nodes, 12)
  const c2 = columns + (<usize>load<u32>(nodes, 16) << columnShift), t2 = v128.load32_splat(nodes, 20)
  const c3 = columns + (<usize>load<u32>(nodes, 24) << columnShift), t3 = v128.load32_splat(nodes, 28)
  const c4 = columns + (<usize>load<u32>(nodes, 32) << columnShift), t4 = v128.load32_splat(nodes, 36)
  const c5 = columns + (<usize>load<u32>(nodes, 40) << columnShift), t5 = v128.load32_splat(nodes, 44)
  const c6 = columns + (<usize>load<u32>(nodes, 48) << columnShift), t6 = v128.load32_splat(nodes, 52)
  const c7 = columns + (<usize>load<u32>(nodes, 56) << columnShift), t7 = v128.load32_splat(nodes, 60)
  for (let o: usize = 0; o < rowBytes; o += 32) {
    const a = topLevels(o, c1, c2, c3, c4, c5, c6, c7, t1, t2, t3, t4, t5, t6, t7)
    const b = topLevels(o + 16, c1, c2, c3, c4, c5, c6, c7, t1, t2, t3, t4, t5, t6, t7)
    let i0 = <u32>i32x4.extract_lane(a, 0), i1 = <u32>i32x4.extract_lane(a, 1)
    let i2 = <u32>i32x4.extract_lane(a, 2), i3 = <u32>i32x4.extract_lane(a, 3)
    let i4 = <u32>i32x4.extract_lane(b, 0), i5 = <u32>i32x4.extract_lane(b, 1)
    let i6 = <u32>i32x4.extract_lane(b, 2), i7 = <u32>i32x4.extract_lane(b, 3)
    const x = columns + o
    for (let d: u32 = 3; d < depth; d++) {
      i0 = perfectStep(nodes, i0, x, columnShift)
      i1 = perfectStep(nodes, i1, x + 4, columnShift)
      i2 = perfectStep(nodes, i2, x + 8, columnShift)
      i3 = perfectStep(nodes, i3, x + 12, columnShift)
      i4 = perfectStep(nodes, i4, x + 16, columnShift)
      i5 = perfectStep(nodes, i5, x + 20, columnShift)
      i6 = perfectStep(nodes, i6, x + 24, columnShift)
      i7 = perfectStep(nodes, i7, x + 28, columnShift)
    }
    const s = sums + o
    store<f32>(s, load<f32>(s) + load<f32>(leaves + (<usize>i0 << 2)))
    store<f32>(s, load<f32>(s, 4) + load<f32>(leaves + (<usize>i1 << 2)), 4)
    store<f32>(s, load<f32>(s, 8) + load<f32>(leaves + (<usize>i2 << 2)), 8)
    store<f32>(s, load<f32>(s, 12) + load<f32>(leaves + (<usize>i3 << 2)), 12)
    store<f32>(s, load<f32>(s, 16) + load<f32>(leaves + (<usize>i4 << 2)), 16)
    store<f32>(s, load<f32>(s, 20) + load<f32>(leaves + (<usize>i5 << 2)), 20)
    store<f32>(s, load<f32>(s, 24) + load<f32>(leaves + (<usize>i6 << 2)), 24)
    store<f32>(s, load<f32>(s, 28) + load<f32>(leaves + (<usize>i7 << 2)), 28)
  }
}

// ---- sparse trees: 16-byte nodes that point at their first child; a leaf points at itself and compares with NaN ----

/** 1 when the category is known to the node's set or, for an inverted node, when it is a value and is not. */
function categoricalChild(word: u32, set: usize, value: f32): u32 {
  const missing = value != value
  let known: u32 = 0
  if (value >= 0 && value < categoryEnd) {
    const category = <u32>value
    if (category < load<u32>(set) << 5) {
      known = (load<u32>(set + (<usize>(category >> 5) << 2), 4) >> (category & 31)) & 1
    }
  }
  return (word & flagInverted) != 0 ? u32(!missing) & (known ^ 1) : known
}

// @ts-ignore: decorator
@inline
function sparseStep(p: usize, x: usize, shift: u32): usize {
  const word = load<u32>(p)
  const value = load<f32>(x + (<usize>(word & columnMask) << shift))
  const child = (word & flagCategorical) != 0
    ? categoricalChild(word, <usize>load<u32>(p, 4), value)
    : u32(value >= load<f32>(p, 4))
  return <usize>load<u32>(p, 8) + (<usize>child << 4)
}

/**
 * Walks eight chains to their leaves, at most `depth` levels, and writes the leaves' addresses to `leaves`.
 * The chains begin at `roots` and read the values at x, x + stride, x + 2 stride and so on: with stride 0 these are
 * eight trees of one row, with stride 4 and eight equal roots one tree for eight rows of a block.
 */
// @ts-ignore: decorator
@inline
function sparseWalk(roots: usize, depth: u32, x: usize, stride: usize, shift: u32, leaves: usize): void {
  let p0 = <usize>load<u32>(roots), p1 = <usize>load<u32>(roots, 4), p2 = <usize>load<u32>(roots, 8)
  let p3 = <usize>load<u32>(roots, 12), p4 = <usize>load<u32>(roots, 16), p5 = <usize>load<u32>(roots, 20)
  let p6 = <usize>load<u32>(roots, 24), p7 = <usize>load<u32>(roots, 28)
  const x1 = x + stride, x2 = x1 + stride, x3 = x2 + stride, x4 = x3 + stride
  const x5 = x4 + stride, x6 = x5 + stride, x7 = x6 + stride
  let moving = true
  for (let d: u32 = 0; d < depth && moving; d += 2) {
    p0 = sparseStep(p0, x, shift)
    p1 = sparseStep(p1, x1, shift)
    p2 = sparseStep(p2, x2, shift)
    p3 = sparseStep(p3, x3, shift)
    p4 = sparseStep(p4, x4, shift)
    p5 = sparseStep(p5, x5, shift)
    p6 = sparseStep(p6, x6, shift)
    p7 = sparseStep(p7, x7, shift)
    const q0 = sparseStep(p0, x, shift), q1 = sparseStep(p1, x1, shift)
    const q2 = sparseStep(p2, x2, shift), q3 = sparseStep(p3, x3, shift)
    const q4 = sparseStep(p4, x4, shift), q5 = sparseStep(p5, x5, shift)
    const q6 = sparseStep(p6, x6, shift), q7 = sparseStep(p7, x7, shift)
    // A deep and narrow tree is left as soon as all eight stand on leaves, which lead to themselves.
    moving = ((p0 ^ q0) | (p1 ^ q1) | (p2 ^ q2) | (p3 ^ q3) | (p4 ^ q4) | (p5 ^ q5) | (p6 ^ q6) | (p7 ^ q7)) != 0
    p0 = q0
    p1 = q1
    p2 = q2
    p3 = q3
    p4 = q4
    p5 = q5
    p6 = q6
    p7 = q7
  }
  store<u32>(leaves, <u32>p0)
  store<u32>(leaves, <u32>p1, 4)
  store<u32>(leaves, <u32>p2, 8)
  store<u32>(leaves, <u32>p3, 12)
  store<u32>(leaves, <u32>p4, 16)
  store<u32>(leaves, <u32>p5, 20)
  store<u32>(leaves, <u32>p6, 24)
  store<u32>(leaves, <u32>p7, 28)
}

/** Adds what a leaf holds: one value to the tree's group or, where leaves are vectors, one value to every group. */
// @ts-ignore: decorator
@inline
function addLeaf(chunk: usize, tree: usize, leaf: usize, sums: usize, shift: u32, groupCount: i32): void {
  if (load<u32>(chunk) != kindVector) {
    addToGroup(chunk, tree, sums, shift, load<f32>(leaf, 12))
    return
  }
  const vector = <usize>load<u32>(leaf, 12)
  for (let g = 0; g < groupCount; g++) {
    const sum = sums + (<usize>g << shift)
    store<f32>(sum, load<f32>(sum) + load<f32>(vector + (<usize>g << 2)))
  }
}

function sparseRow(chunk: usize, x: usize, sums: usize, groupCount: i32, scratch: usize): void {
  sparseWalk(chunk + chunkRoots, load<u32>(chunk, 4), x, 0, 0, scratch)
  const count = <usize>load<u32>(chunk, 8)
  for (let k: usize = 0; k < count; k++) {
    addLeaf(chunk, k, <usize>load<u32>(scratch + (k << 2)), sums, 2, groupCount)
  }
}

function sparseBlock(
  chunk: usize, tree: usize, columns: usize, rowCount: i32, sums: usize, groupCount: i32, scratch: usize,
): void {
  const root = load<u32>(chunk + (tree << 2), chunkRoots)
  v128.store(scratch, i32x4.splat(root), 32)
  v128.store(scratch, i32x4.splat(root), 48)
  const depth = load<u32>(chunk, 4)
  for (let r = 0; r < rowCount; r += 8) {
    const o = <usize>r << 2
    sparseWalk(scratch + 32, depth, columns + o, 4, columnShift, scratch)
    for (let k: usize = 0; k < 8; k++) {
      addLeaf(chunk, tree, <usize>load<u32>(scratch + (k << 2)), sums + o + (k << 2), 8, groupCount)
    }
  }
}

// ---- rows in, margins out ----

/** Copies one row and, after it, the row negated. */
function mirrorRow(row: usize, featureCount: i32, into: usize): void {
  const negated = into + (<usize>featureCount << 2)
  for (let f = 0; f < featureCount; f++) {
    const o = <usize>f << 2
    const value = load<f32>(row + o)
    store<f32>(into + o, value)
    store<f32>(negated + o, -value)
  }
}

/** Copies rows into columns of a block; negated copies follow where trees ask for them. */
function fillColumns(rows: usize, rowCount: i32, featureCount: i32, mirrored: bool, columns: usize): void {
  const rowBytes = <usize>featureCount << 2
  const columnBytes: usize = <usize>blockRows << 2
  for (let f = 0; f < featureCount; f++) {
    const column = columns + <usize>f * columnBytes
    let value = rows + (<usize>f << 2)
    for (let r = 0; r < rowCount; r++) {
      store<f32>(column + (<usize>r << 2), load<f32>(value))
      value += rowBytes
    }
    if (mirrored) {
      const negated = column + <usize>featureCount * columnBytes
      for (let r = 0; r < rowCount; r += 4) {
        v128.store(negated + (<usize>r << 2), f32x4.neg(v128.load(column + (<usize>r << 2))))
      }
    }
  }
}

/**
 * Writes the margins of `rowCount` rows of `featureCount` float32 values to `out`, `groupCount` a row.
 *
 * @param model Address of the header that `trees-layout.ts` draws.
 */
export function margins(model: usize, rows: usize, rowCount: i32, out: usize): void {
  const featureCount = load<i32>(model)
  const groupCount = load<i32>(model, 4)
  const mirrored = load<u32>(model, 8) != 0
  const chunks = <usize>load<u32>(model, 12)
  const chunksEnd = chunks + <usize>load<u32>(model, 16) * chunkBytes
  const base = <usize>load<u32>(model, 20)
  const columns = <usize>load<u32>(model, 24)
  const blockSums = <usize>load<u32>(model, 28)
  const scratch = <usize>load<u32>(model, 32)
  const rowBytes = <usize>featureCount << 2
  const outBytes = <usize>groupCount << 2

  let r = 0
  // Below eight rows a block would be mostly empty.
  for (; rowCount - r >= 8; ) {
    const n = rowCount - r < blockRows ? rowCount - r : blockRows
    // The last rows of a block that is not a multiple of eight are whatever was there; their sums are not read.
    const padded = (n + 7) & ~7
    fillColumns(rows, n, featureCount, mirrored, columns)
    for (let g = 0; g < groupCount; g++) {
      const margin = v128.load32_splat(base + (<usize>g << 2))
      for (let k = 0; k < padded; k += 4) v128.store(blockSums + (<usize>g << 8) + (<usize>k << 2), margin)
    }
    for (let chunk = chunks; chunk < chunksEnd; chunk += chunkBytes) {
      const depth = load<u32>(chunk, 4)
      const count = <usize>load<u32>(chunk, 8)
      if (load<u32>(chunk) == kindPerfect) {
        const leafBytes: usize = <usize>4 << depth
        for (let k: usize = 0; k < count; k++) {
          const sums = blockSums + (<usize>load<u32>(chunk + (k << 2), chunkGroups) << 8)
          const nodes = load<u32>(chunk, 12) + ((<usize>8 << depth) * k)
          perfectBlock(nodes, load<u32>(chunk, 16) + leafBytes * k - leafBytes, depth, columns, padded, sums)
        }
      } else {
        for (let k: usize = 0; k < count; k++) {
          sparseBlock(chunk, k, columns, padded, blockSums, groupCount, scratch)
        }
      }
    }
    for (let k = 0; k < n; k++) {
      for (let g = 0; g < groupCount; g++) {
        store<f32>(out + (<usize>g << 2), load<f32>(blockSums + (<usize>g << 8) + (<usize>k << 2)))
      }
      out += outBytes
    }
    rows += <usize>n * rowBytes
    r += n
  }
  for (; r < rowCount; r++) {
    let x = rows
    if (mirrored) {
      mirrorRow(rows, featureCount, columns)
      x = columns
    }
    memory.copy(out, base, outBytes)
    for (let chunk = chunks; chunk < chunksEnd; chunk += chunkBytes) {
      if (load<u32>(chunk) == kindPerfect) perfectRow(chunk, x, out, groupCount)
      else sparseRow(chunk, x, out, groupCount, scratch)
    }
    rows += rowBytes
    out += outBytes
  }
}

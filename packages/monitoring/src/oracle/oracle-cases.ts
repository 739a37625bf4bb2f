import { seeded } from '../testing/random-plant.ts'

/** The same cases for the libraries and for us; whole numbers and short decimals, so that JSON carries them exactly. */
export interface OracleCases {
  readonly samples: readonly { readonly a: readonly number[]; readonly b: readonly number[] }[]
  readonly kolmogorov: readonly number[]
  readonly histograms: readonly { readonly a: CaseHistogram; readonly b: CaseHistogram }[]
  readonly calibrations: readonly {
    readonly points: readonly { readonly probability: number; readonly count: number; readonly positives: number }[]
    readonly at: readonly number[]
  }[]
  readonly shares: readonly (readonly [successes: number, trials: number])[]
  readonly pValues: readonly (readonly number[])[]
  readonly medians: readonly (readonly number[])[]
  readonly predictions: readonly { readonly probabilities: readonly number[]; readonly high: readonly boolean[] }[]
}

export interface CaseHistogram {
  readonly edges: readonly number[]
  readonly counts: readonly number[]
  readonly min: number
  readonly max: number
}

export function oracleCases(): OracleCases {
  const random = seeded(7)
  const whole = (below: number): number => Math.floor(random() * below)
  const sample = (size: number, step: number, shift: number): number[] =>
    Array.from({ length: size }, () => Math.floor((random() + random() + shift) * step) / 16)
  const histogram = (edges: readonly number[], most: number): CaseHistogram => ({
    edges,
    counts: [0, ...edges].map((_, i) => (random() < 0.15 && i > 0 ? 0 : 1 + whole(most))),
    min: (edges[0] as number) - 1 - whole(4),
    max: (edges.at(-1) as number) + 1 + whole(4),
  })
  return {
    samples: [
      [3, 4, 400, 0],
      [7, 7, 400, 0.5],
      [20, 31, 8, 0],
      [60, 60, 800, 0.3],
      [200, 500, 900, 0.1],
      [1, 1, 400, 0],
      [400, 300, 5, 0.4],
    ].map(([n = 0, m = 0, step = 0, shift = 0]) => ({ a: sample(n, step, 0), b: sample(m, step, shift) })),
    kolmogorov: Array.from({ length: 60 }, (_, i) => (i + 1) / 20),
    histograms: Array.from({ length: 12 }, (_, i) => {
      const edges = Array.from({ length: 2 + i }, (_, edge) => edge * 3 + whole(3))
      // The last ones hold bins so rare that Evidently fills empty ones with a millionth of their share.
      const most = i < 9 ? 300 : 30_000
      return { a: histogram(edges, most), b: histogram(edges, i < 9 ? 300 : 5) }
    }),
    calibrations: [40, 400, 4000].map((size) => ({
      points: Array.from({ length: 12 }, (_, i) => {
        const probability = (i * 8 + 3) / 100
        const count = 1 + whole(size)
        return { probability, count, positives: Math.floor(count * Math.min(1, probability * random() * 1.6)) }
      }),
      at: Array.from({ length: 41 }, (_, i) => i / 40),
    })),
    shares: [
      [0, 1],
      [1, 1],
      [0, 50],
      [3, 50],
      [50, 50],
      [777, 1000],
      [1, 100_000],
    ],
    pValues: [1, 2, 5, 40].map((size) =>
      Array.from({ length: size }, () => Math.floor(random() * random() * 1e6) / 1e6),
    ),
    predictions: [50, 500].map((size) => {
      const probabilities = Array.from({ length: size }, () => Math.floor(random() * random() * 1000) / 1000)
      return { probabilities, high: probabilities.map((probability) => probability > 0.5) }
    }),
    medians: [9, 40, 201, 1000].map((size) =>
      // No value twice, so that a value tells its rank.
      Array.from({ length: size }, (_, i) => 10 * i + whole(10)),
    ),
  }
}

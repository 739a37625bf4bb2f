import type { Dashboard } from '../../dashboards/panels.ts'
import type { RunningPrometheus } from './prometheus.ts'

/** The queries of dashboards, as Grafana would send them for every instance, and which of them have given data. */
export class PanelQueries {
  readonly #prometheus: RunningPrometheus
  /** By dashboard, panel and place of the query. */
  readonly #queries: ReadonlyMap<string, string>
  readonly #withData = new Set<string>()

  constructor(prometheus: RunningPrometheus, dashboards: readonly Dashboard[]) {
    this.#prometheus = prometheus
    this.#queries = new Map(
      dashboards.flatMap(({ uid, rows }) =>
        rows.flatMap(({ panels }) =>
          panels.flatMap(({ title, queries }) =>
            queries.map(({ expr }, index): [string, string] => [
              `${uid}: ${title} (${index + 1})`,
              expr.replaceAll('$instance', '.*').replaceAll('$__rate_interval', '10s'),
            ]),
          ),
        ),
      ),
    )
  }

  get count(): number {
    return this.#queries.size
  }

  /** Runs every query once, and notes those that give a finite number. @throws When Prometheus takes one for no query. */
  async run(): Promise<void> {
    for (const [name, promql] of this.#queries) {
      if (this.#withData.has(name)) continue
      const series = await this.#prometheus.query(promql)
      if (series.some(({ value }) => Number.isFinite(value))) this.#withData.add(name)
    }
  }

  /** Those that never gave a number, but for those of which a query is not to be counted. */
  withoutData(isLeftOut: (promql: string) => boolean = () => false): string[] {
    return [...this.#queries].flatMap(([name, promql]) => (this.#withData.has(name) || isLeftOut(promql) ? [] : [name]))
  }

  /**
   * What a panel shows now: the sum over its series, 0 where it has none.
   *
   * @param place Of the query in the panel, from 1.
   */
  async shown(uid: string, title: string, place = 1, only: Readonly<Record<string, string>> = {}): Promise<number> {
    const promql = this.#queries.get(`${uid}: ${title} (${place})`)
    if (promql === undefined) throw new Error(`there is no query ${place} in panel "${title}" of ${uid}`)
    const series = await this.#prometheus.query(promql)
    return series
      .filter(({ labels }) => Object.entries(only).every(([label, value]) => labels[label] === value))
      .reduce((sum, { value }) => sum + (Number.isFinite(value) ? value : 0), 0)
  }
}

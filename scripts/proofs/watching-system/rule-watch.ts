import { readFileSync } from 'node:fs'
import type { RunningPrometheus } from '../support/prometheus.ts'

/** The alerting rules of a Prometheus that runs: which fire now, and which a fault has had fire and end. */
export class RuleWatch {
  /** Alerts that a fault had fire; with its end they ended. */
  readonly fired = new Set<string>()
  readonly names: readonly string[]
  readonly #prometheus: RunningPrometheus

  /** @param rulesPath The file of alerting rules. */
  constructor(prometheus: RunningPrometheus, rulesPath: string) {
    this.#prometheus = prometheus
    this.names = [...readFileSync(rulesPath, 'utf8').matchAll(/^ +- alert: (\w+)$/gm)].map(([, name = '']) => name)
  }

  /** Those of these alerts that fire now. @throws When one is no alert of the rules. */
  async firing(alerts: readonly string[]): Promise<string[]> {
    const unknown = alerts.filter((name) => !this.names.includes(name))
    if (unknown.length > 0) throw new Error(`there is no alert ${unknown.join(', ')}`)
    const series = await this.#prometheus.query('count by (alertname) (ALERTS{alertstate="firing"})')
    const firing = new Set(series.map(({ labels }) => labels['alertname']))
    return alerts.filter((name) => firing.has(name))
  }
}

import { cluster } from './cluster.ts'
import { dataQuality } from './data-quality.ts'
import { model } from './model.ts'
import type { Dashboard } from './panels.ts'
import { pipeline } from './pipeline.ts'
import { plant } from './plant.ts'

/** Every dashboard. */
export const dashboards: readonly Dashboard[] = [plant, pipeline, model, dataQuality, cluster]

/** Those that a plant on one machine fills. */
export const embeddedDashboards: readonly Dashboard[] = [plant, pipeline, model, dataQuality]

import { MillwrightError } from '@millwright/core'

/** What can go wrong with the development cluster. The message says what to do; places travel as data in `details`. */

/** A program that the cluster needs is missing, or of a version that does not work. The message says what to install. */
export class ToolMissingError extends MillwrightError {
  readonly code = 'TOOL_MISSING'
  readonly retry = 'later'
}

/** An artifact could not be had from its registry, or its bytes are not the ones that were asked for. Nothing is kept of it. */
export class ArtifactError extends MillwrightError {
  readonly code = 'ARTIFACT'
  readonly retry = 'later'
}

/** The cluster exists with other settings than those asked for, or its folder is of another release. Nothing was changed. */
export class ClusterSettingsError extends MillwrightError {
  readonly code = 'CLUSTER_SETTINGS'
  readonly retry = 'never'
}

/** A process of the cluster ended while it was waited for, or did not become ready in time. What runs is left running. */
export class ClusterStartError extends MillwrightError {
  readonly code = 'CLUSTER_START'
  readonly retry = 'later'
}

/** A process of the cluster did not end, not even when killed. Its record is kept. */
export class ClusterStopError extends MillwrightError {
  readonly code = 'CLUSTER_STOP'
  readonly retry = 'later'
}

/** Another `up` or `down` of the same cluster is at work. */
export class ClusterBusyError extends MillwrightError {
  readonly code = 'CLUSTER_BUSY'
  readonly retry = 'later'
}

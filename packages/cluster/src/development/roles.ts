/** The processes of a cluster, each by what it does. The order is that of starting them; they are ended in the other one. */

export const brokerCount = 3
export const taskManagerCount = 2
export const slotsPerTaskManager = 3

export type BrokerRole = 'broker-1' | 'broker-2' | 'broker-3'
export type TaskManagerRole = 'task-manager-1' | 'task-manager-2'
export type ProcessRole = 'zookeeper' | BrokerRole | 'job-manager' | TaskManagerRole

export const brokerRoles: readonly BrokerRole[] = ['broker-1', 'broker-2', 'broker-3']
export const taskManagerRoles: readonly TaskManagerRole[] = ['task-manager-1', 'task-manager-2']

/** @param highAvailability Whether there is a ZooKeeper. */
export function rolesOf(options: { highAvailability: boolean }): readonly ProcessRole[] {
  return [
    ...(options.highAvailability ? (['zookeeper'] as const) : []),
    ...brokerRoles,
    'job-manager',
    ...taskManagerRoles,
  ]
}

/** The number of a broker, as Kafka's `node.id` has it. */
export function brokerNumber(role: BrokerRole): number {
  return Number(role.slice('broker-'.length))
}

import type { TopicDefinition } from './topic-definitions.ts'

/** What is there of a topic. */
export interface TopicFound {
  readonly partitionCount: number
  readonly replicationFactor: number
  readonly settings: Readonly<Record<string, string>>
}

/** One thing about a topic that is not as it should be. Nothing is changed on its own: some of it moves or removes data. */
export interface TopicDifference {
  readonly topic: string
  readonly setting: string
  readonly found: string
  readonly wanted: string
}

/** Compares a topic with its definition, in the order of partitions, replicas, settings. */
export function compareTopic(definition: TopicDefinition, found: TopicFound): TopicDifference[] {
  const differences: TopicDifference[] = []
  const compare = (setting: string, foundText: string, wanted: string): void => {
    if (foundText !== wanted) differences.push({ topic: definition.name, setting, found: foundText, wanted })
  }
  compare('partitions', String(found.partitionCount), String(definition.partitionCount))
  compare('replication factor', String(found.replicationFactor), String(definition.replicationFactor))
  for (const [setting, wanted] of Object.entries(definition.settings))
    compare(setting, found.settings[setting] ?? 'nothing', wanted)
  return differences
}

/** One line a person can act on. */
export function differenceText({ topic, setting, found, wanted }: TopicDifference): string {
  return `${topic}: ${setting} is ${found}, wanted ${wanted}`
}

/** The consumer group under which the operators on Flink leave their places, as the host has it; bounded runs have others. */
export const operatorsGroup = 'millwright'

/** The topics that they read as that group. */
export const operatorsInputs = ['sensor-data', 'device-events'] as const

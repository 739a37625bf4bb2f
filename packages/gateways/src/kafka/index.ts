export { KafkaAuthenticationError, KafkaRefusedError, KafkaUnreachableError } from './errors.ts'
export { clientOptions, type KafkaConnection } from './kafka-connection.ts'
export { kafkaError, protocolErrorName } from './kafka-error.ts'

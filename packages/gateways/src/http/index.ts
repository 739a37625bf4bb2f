export type { AlertEvent, AlertFeed } from './alert-feed.ts'
export type { ListenOptions } from './listen-rules.ts'
export type { HttpGatewayOptions, ListedModel, ModelDesk, ModelRefusal, PlantStatus, PlantView } from './options.ts'
export { type HttpGateway, startHttpGateway } from './start-http-gateway.ts'

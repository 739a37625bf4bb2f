export type { AlertEvent, AlertFeed } from './alert-feed.ts'
export type {
  CaseChannels,
  CaseCommandAnswer,
  CaseDesk,
  CaseDetail,
  CaseList,
  CaseQuery,
  CaseStep,
  CaseWindow,
} from './case-desk.ts'
export { requireListenable } from './listen-check.ts'
export type { ListenOptions } from './listen-rules.ts'
export type { HttpGatewayOptions, ListedModel, ModelDesk, ModelRefusal, PlantStatus, PlantView } from './options.ts'
export { type HttpGateway, type HttpGatewayStats, startHttpGateway } from './start-http-gateway.ts'

export type { Admission, PositionAfter, RefusedLine } from './door/admission.ts'
export { admitFeedback, type FeedbackAdmission } from './door/feedback.ts'
export { createDoor, type Door, type DoorOptions } from './door.ts'
export {
  type CsvRow,
  createRowSplitter,
  createTimeReader,
  type FileLines,
  InputDamagedError,
  InputShrankError,
  jsonNumber,
  type LineFile,
  missingSpellings,
  openLineFile,
  type ReadFileOptions,
  type ReadingFileKind,
  type ReadProgress,
  type RowSplitter,
  readCsvLines,
  readFileLines,
  readingFileKind,
  readReadings,
  sourceIdOf,
  type TimeReader,
} from './files/index.ts'
export {
  type AlertEvent,
  type AlertFeed,
  type HttpGateway,
  type HttpGatewayOptions,
  type ListedModel,
  type ListenOptions,
  type ModelDesk,
  type ModelRefusal,
  type PlantStatus,
  type PlantView,
  requireListenable,
  startHttpGateway,
} from './http/index.ts'

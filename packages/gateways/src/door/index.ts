export type { Admission, PositionAfter, RefusedLine } from './admission.ts'
export { createDoor, type Door, type DoorOptions } from './door.ts'

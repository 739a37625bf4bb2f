import { runPartitionWorker } from '@millwright/engine'
import { sayPhase } from '../../../packages/engine/src/testing/crash-load.ts'
import { subject } from './subject.ts'

runPartitionWorker({ createOperator: subject.createOperator, loadModel: subject.loadModel, onPhase: sayPhase })
